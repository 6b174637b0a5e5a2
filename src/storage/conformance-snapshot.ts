/** What every engine must prove about an account's figures. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, idle, ignored, one, other, type Promised, to } from './conformance.ts'
import { deliverAll, leases, second } from './conformance-destinations.ts'
import { sendLane } from './ports/entry.ts'
import type { Snapshot } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'

/** An event that the first destination has at once, and the second one an hour later; `alone` came before the second. */
async function twoSpeeds(storage: Storage): Promise<{ both: string; alone: string }> {
  const [early, late] = [arrival({ receivedAt: minute }), arrival({ receivedAt: 2 * minute })]
  await append(storage, [early])
  await storage.inbox.addDestination(one, second)
  await append(storage, [late])
  const given = await leases(storage, 3 * minute)
  await deliverAll(storage, given.get(1)!, 3 * minute)
  await deliverAll(storage, given.get(second)!, 63 * minute)
  return { both: late.messageId, alone: early.messageId }
}

const minute = 60_000

/** Ten events, one a minute: delivered, dead, quarantined, asking, delivered, and five that wait. */
async function tenMinutes(storage: Storage): Promise<void> {
  const states = ['waiting', 'waiting', 'quarantined', 'asking', ...new Array(6).fill('waiting')] as const
  for (const [at, state] of states.entries()) await append(storage, [arrival({ receivedAt: at * minute + 1, state })])
  await append(storage, [arrival({ org: other, receivedAt: 1 }), ignored({ receivedAt: minute })])
  const lease = await claimed(storage, 'send', { now: 10 * minute, limit: 3 })
  const ids = lease.entries.map(({ id }) => id)
  await storage.inbox.settle(
    lease,
    [
      to(ids[0]!, 'delivered', { at: 11 * minute }),
      to(ids[1]!, 'dead', { at: 10 * minute, reason: 'segment_400' }),
      to(ids[2]!, 'delivered', { at: 11 * minute }),
    ],
    idle,
  )
}

const openIn = ({ open }: Snapshot) => open.map(({ state, count }) => `${state} ${count}`).sort()
const all = { from: 0, to: 10 * minute }

export const snapshotPromises: readonly Promised[] = [
  {
    promise: "an account's figures say what is open of the events received in a time, and nothing of another account",
    async check(storage) {
      await tenMinutes(storage)
      const of = async (from: number, until: number) =>
        openIn(await storage.ledger.snapshot(one, { from: from * minute, to: until * minute }))
      assert.deepEqual(await of(0, 10), ['asking 1', 'dead 1', 'quarantined 1', 'waiting 5'])
      assert.deepEqual(await of(0, 1), [])
      assert.deepEqual(await of(1, 3), ['dead 1', 'quarantined 1'])
      assert.deepEqual(await of(7, 10), ['waiting 3'])
      assert.deepEqual(await of(7, 9), ['waiting 2'])
      assert.deepEqual(await of(20, 30), [])
      const { totals, backlog, timeBuckets } = await storage.ledger.snapshot(one, all)
      assert.ok([...totals, ...backlog].every(({ org }) => org === one))
      const received = timeBuckets
        .filter(({ outcome }) => outcome === 'received')
        .reduce((sum, { count }) => sum + count, 0)
      assert.equal(received, 10)
      assert.deepEqual(backlog.map(({ state, count }) => `${state} ${count}`).sort(), [
        'asking 1',
        'dead 1',
        'quarantined 1',
        'waiting 5',
      ])
      assert.deepEqual(await storage.ledger.snapshot('none', all), {
        destinations: [],
        totals: [],
        backlog: [],
        timeBuckets: [],
        open: [],
        deliveries: [],
        lastDelivered: [],
        began: [],
      })
    },
  },
  {
    promise:
      "an account's figures count an event that is sent again in the time it was received, and not when it was resent",
    async check(storage) {
      await tenMinutes(storage)
      const { entries } = await storage.lookup.find({ org: one, states: ['delivered', 'dead'] }, { limit: 10 })
      await storage.inbox.redrive(
        entries.map(({ id }) => ({ id })),
        12 * minute,
        'an admin',
      )
      const of = async (from: number, until: number) =>
        openIn(await storage.ledger.snapshot(one, { from: from * minute, to: until * minute }))
      assert.deepEqual(await of(0, 2), ['waiting 2'])
      assert.deepEqual(await of(0, 10), ['asking 1', 'quarantined 1', 'waiting 8'])
      assert.deepEqual(await of(6, 100), ['waiting 4'])
    },
  },
  {
    promise: "an account's figures name the latest deliveries, the last receipt, and both ends of what went wrong",
    async check(storage) {
      await tenMinutes(storage)
      await append(storage, [arrival({ receivedAt: 12 * minute, state: 'quarantined' })])
      const shown = await storage.ledger.snapshot(one, all)
      assert.deepEqual(
        shown.deliveries.toSorted((a, b) => a.receivedAt - b.receivedAt),
        [
          { destination: 1, receivedAt: 1, settledAt: 11 * minute },
          { destination: 1, receivedAt: 4 * minute + 1, settledAt: 11 * minute },
        ],
      )
      assert.deepEqual(shown.lastDelivered, [{ destination: 1, at: 11 * minute }])
      assert.equal(shown.lastReceivedAt, 12 * minute)
      const odd = shown.backlog.find(({ state }) => state === 'quarantined')!
      assert.deepEqual([odd.oldestReceivedAt, odd.newestReceivedAt], [2 * minute + 1, 12 * minute])
      assert.deepEqual((await storage.ledger.snapshot(one, { from: minute, to: 2 * minute })).deliveries, [])
    },
  },
  {
    promise: "an account's figures say of what is sent again how long it took at first, and when it was delivered last",
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival({ receivedAt: minute })])
      await deliverAll(storage, (await leases(storage, 2 * minute)).get(1)!, 2 * minute)
      const { entries } = await storage.lookup.find({ org: one }, { limit: 1 })
      await storage.inbox.redrive([{ id: entries[0]!.id, destination: 1, asNew: true }], 60 * minute, 'an admin')
      const times = async () => {
        const { deliveries, lastDelivered } = await storage.ledger.snapshot(one, { from: 0, to: 99 * minute })
        return [deliveries, lastDelivered.map(({ at }) => at)]
      }
      const first = [{ destination: 1, receivedAt: minute, settledAt: 2 * minute + 5 }]
      assert.deepEqual(await times(), [first, []])
      await deliverAll(storage, (await leases(storage, 61 * minute)).get(1)!, 61 * minute)
      assert.deepEqual(await times(), [first, [61 * minute + 5]])
    },
  },
  {
    promise: "a destination's times are those of its own attempts, whatever another one does later",
    async check(storage) {
      const { both, alone } = await twoSpeeds(storage)
      const settled = async (message: string, destination?: number) => {
        const query = { org: one, message, ...(destination === undefined ? {} : { destination }) }
        return (await storage.lookup.find(query, { limit: 1 })).entries[0]?.settledAt
      }
      const [first, later] = [3 * minute + 5, 63 * minute + 5]
      assert.deepEqual(
        [await settled(both), await settled(both, 1), await settled(both, second)],
        [first, first, later],
      )
      assert.deepEqual([await settled(alone), await settled(alone, second)], [first, undefined])
      const { deliveries, lastDelivered, began } = await storage.ledger.snapshot(one, { from: 0, to: 99 * minute })
      const timesAt = (at: number) =>
        deliveries.filter(({ destination }) => destination === at).map(({ settledAt }) => settledAt)
      assert.deepEqual([timesAt(1), timesAt(second)], [[first, first], [later]])
      assert.deepEqual(lastDelivered, [
        { destination: 1, at: first },
        { destination: second, at: later },
      ])
      assert.deepEqual(began, [
        { destination: 1, at: minute },
        { destination: second, at: 2 * minute },
      ])
    },
  },
  {
    promise: 'a tally at a destination that was added later counts nothing as delivered that it never had',
    async check(storage) {
      const { alone } = await twoSpeeds(storage)
      const at = async (more: object) => {
        const { rows } = await storage.lookup.tally({ org: one, ...more })
        return rows.map(({ state, count }) => `${state} ${count}`).sort()
      }
      assert.deepEqual(await at({}), ['delivered 2'])
      assert.deepEqual(await at({ destination: second }), ['delivered 1', 'not_given 1'])
      assert.deepEqual(await at({ destination: second, from: 0, to: 99 * minute }), ['delivered 1', 'not_given 1'])
      assert.deepEqual(await at({ destination: second, states: ['not_given'] }), ['not_given 1'])
      const { entries } = await storage.lookup.find({ org: one, message: alone }, { limit: 1 })
      await storage.inbox.redrive([{ id: entries[0]!.id, destination: second }], 64 * minute, 'an admin')
      assert.deepEqual(await at({ destination: second }), ['delivered 1', 'waiting 1'])
    },
  },
  {
    promise: 'the removal of a destination changes no time at those that stay',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      const { messageId: message } = arrival()
      await append(storage, [arrival({ messageId: message }), arrival()])
      const given = await leases(storage)
      await deliverAll(storage, given.get(1)!)
      await storage.inbox.removeDestination(one, second, 99 * minute)
      const [shown] = (await storage.lookup.find({ org: one, message }, { limit: 1 })).entries
      assert.equal(shown?.settledAt, 2_005)
      const { lastDelivered } = await storage.ledger.snapshot(one, { from: 0, to: 99 * minute })
      assert.deepEqual(lastDelivered, [{ destination: 1, at: 2_005 }])
    },
  },
  {
    promise: "an account's figures say what holds its events",
    async check(storage) {
      await tenMinutes(storage)
      await storage.inbox.hold(sendLane(one), 'paused')
      const { backlog } = await storage.ledger.snapshot(one, all)
      assert.deepEqual(
        backlog.filter(({ state }) => state === 'waiting').map(({ reason, count }) => [reason, count]),
        [['paused', 5]],
      )
    },
  },
]
