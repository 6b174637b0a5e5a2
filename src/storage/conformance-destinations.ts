/** What every engine promises of several destinations of one account, and of bodies that several events share. */
import assert from 'node:assert/strict'
import {
  type Alone,
  append,
  arrival,
  claimed,
  claimOne,
  conserved,
  idle,
  keepAll,
  one,
  type Promised,
  sealedOf,
  to,
} from './conformance.ts'
import type { Destination, NewBody } from './ports/entry.ts'
import { sendLane } from './ports/entry.ts'
import type { Lease } from './ports/inbox.ts'
import type { Storage } from './ports/storage.ts'

export const second: Destination = 2
const options = { now: 2_000, leaseMs: 60_000, limit: 100, bytesMax: 1_000_000 }

/** The leases of all lanes that have something, by destination. */
export async function leases({ inbox }: Storage, now = 2_000): Promise<Map<Destination, Lease>> {
  const { leases: given } = await inbox.claim('send', { ...options, now, room: 8 })
  return new Map(given.map((lease) => [lease.destination, lease]))
}

const messagesOf = (lease: Lease | undefined) => lease?.entries.map(({ messageId }) => messageId)
const idsOf = (lease: Lease) => lease.entries.map(({ id }) => id)

export async function deliverAll({ inbox }: Storage, lease: Lease, at = 2_000): Promise<void> {
  const attempt = { at, ms: 5, status: 200, many: lease.entries.length, tries: 1 }
  const settlements = idsOf(lease).map((id) => to(id, 'delivered', { at, attempt }))
  assert.equal(await inbox.settle(lease, settlements, { readyAt: at, failures: 0 }), true)
}

/** These events of one account, with their texts in one body. */
async function appendTogether({ inbox }: Storage, events: readonly Alone[]): Promise<void> {
  const body: NewBody = { org: one, sealed: Buffer.from('sealed together') }
  const arrivals = events.map(({ sealed, ...event }, position) => {
    return { ...event, body: 0, position, bytes: sealed.byteLength }
  })
  const appended = await inbox.append([body], arrivals)
  assert.equal(appended.is, 'kept')
}

export const destinationPromises: readonly Promised[] = [
  {
    promise: 'a destination gets what comes after it was added, and each its own, whatever becomes of it at another',
    async check(storage) {
      const [early, late] = [arrival(), arrival()]
      await append(storage, [early])
      await storage.inbox.addDestination(one, second)
      assert.deepEqual(await storage.inbox.destinations(one), [1, second])
      await append(storage, [late])
      const both = await leases(storage)
      assert.deepEqual(messagesOf(both.get(1)), [early.messageId, late.messageId])
      assert.deepEqual(messagesOf(both.get(second)), [late.messageId])
      const { id } = both.get(second)!.entries[0]!
      await storage.inbox.settle(both.get(second)!, [to(id, 'dead', { reason: 'segment_400' })], idle)
      await conserved(storage)
      await deliverAll(storage, both.get(1)!)
      const shownAt = async (destination: Destination) =>
        (await storage.lookup.find({ org: one, message: late.messageId, destination }, { limit: 1 })).entries[0]!
      assert.deepEqual([(await shownAt(1)).state, (await shownAt(1)).answer?.status], ['delivered', 200])
      assert.deepEqual([(await shownAt(second)).state, (await shownAt(second)).reason], ['dead', 'segment_400'])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what holds or blocks one destination leaves another of the account as it is',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival()])
      await storage.inbox.hold(sendLane(one), 'paused')
      const held = await leases(storage)
      assert.deepEqual([...held.keys()], [second])
      await storage.inbox.settle(held.get(second)!, [], { readyAt: 9_000, failures: 1, blocked: 'segment_401' })
      await storage.inbox.resume(sendLane(one), 2_000)
      const resumed = await leases(storage)
      assert.deepEqual([...resumed.keys()], [1])
      assert.equal(resumed.get(1)!.blocked, undefined)
      assert.equal((await claimOne(storage.inbox, 'send', { ...options, now: 9_000 }))?.blocked, 'segment_401')
    },
  },
  {
    promise:
      'a destination that is removed lets what waits for it expire, its lease ends, and its number is not given again',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival(), arrival()])
      const both = await leases(storage)
      await deliverAll(storage, both.get(1)!)
      await storage.inbox.removeDestination(one, second, 2_500)
      assert.equal(
        await storage.inbox.settle(both.get(second)!, [to(idsOf(both.get(second)!)[0]!, 'delivered')]),
        false,
      )
      await storage.inbox.addDestination(one, second)
      assert.deepEqual(await storage.inbox.destinations(one), [1])
      const expired = (await storage.ledger.totals()).find(({ outcome }) => outcome === 'expired')
      assert.deepEqual([expired?.destination, expired?.count], [second, 2])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'an entry expires when it has been final for long enough at each destination, and not before',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival()])
      const both = await leases(storage)
      await deliverAll(storage, both.get(1)!)
      const old = { ...keepAll, deliveredBefore: 90_000 }
      assert.equal((await storage.inbox.expire(old)).removed, 0, 'it waits for the second')
      await deliverAll(storage, both.get(second)!, 80_000)
      assert.equal((await storage.inbox.expire({ ...old, deliveredBefore: 80_000 })).removed, 0)
      assert.equal((await storage.inbox.expire(old)).removed, 1)
      assert.deepEqual((await storage.lookup.find({ org: one }, { limit: 9 })).entries, [])
      await conserved(storage)
    },
  },
  {
    promise: 'an entry is sent again to one destination alone, or to each where it is final',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival()])
      const both = await leases(storage)
      const { id } = both.get(1)!.entries[0]!
      await deliverAll(storage, both.get(1)!)
      await deliverAll(storage, both.get(second)!)
      assert.equal(await storage.inbox.redrive([{ id, destination: second }], 3_000, 'an admin'), 1)
      await conserved(storage)
      const again = await leases(storage, 3_000)
      assert.deepEqual([...again.keys()], [second])
      await deliverAll(storage, again.get(second)!, 3_000)
      assert.equal(await storage.inbox.redrive([{ id }], 4_000, 'an admin'), 1)
      assert.deepEqual([...(await leases(storage, 4_000)).keys()].sort(), [1, second])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'an answer of Drift hands an event over to each destination that was there when it came',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await append(storage, [arrival({ state: 'asking' })])
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival({ state: 'asking' })])
      const asking = await claimed(storage, 'ask')
      await storage.inbox.settle(
        asking,
        idsOf(asking).map((id) => to(id, 'waiting', { contact: '7' })),
        idle,
      )
      const both = await leases(storage)
      assert.deepEqual(messagesOf(both.get(1)), messagesOf(asking))
      assert.deepEqual(messagesOf(both.get(second)), messagesOf(asking)!.slice(1))
      await conserved(storage)
    },
  },
  {
    promise: 'events of one body are handed out with it once, and each becomes what it becomes by itself',
    async check(storage) {
      const events = [
        arrival(),
        arrival({ state: 'asking' }),
        arrival(),
        arrival({ state: 'quarantined', reason: 'odd' }),
      ]
      await appendTogether(storage, events)
      const lease = await claimed(storage)
      assert.deepEqual(messagesOf(lease), [events[0]!.messageId, events[2]!.messageId])
      assert.deepEqual([lease.bodies.length, lease.entries.map(({ position }) => position)], [1, [0, 2]])
      assert.equal(sealedOf(lease, lease.entries[1]!).toString(), 'sealed together')
      await storage.inbox.settle(lease, [to(idsOf(lease)[0]!, 'delivered'), to(idsOf(lease)[1]!, 'dead')], idle)
      assert.deepEqual(messagesOf(await claimed(storage, 'ask')), [events[1]!.messageId])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'nothing of a group is kept while one of it is known: then again, without that one',
    async check(storage) {
      const known = arrival()
      await append(storage, [known])
      const fresh = arrival()
      const repeat = { ...arrival(), identity: known.identity }
      const bodies = [fresh, repeat].map(({ sealed }) => ({ org: one, sealed }))
      const arrivals = [fresh, repeat].map(({ sealed, ...event }, body) => {
        return { ...event, body, position: 0, bytes: sealed.byteLength }
      })
      assert.deepEqual(await storage.inbox.append(bodies, arrivals), { is: 'again', known: [1] })
      assert.equal((await storage.lookup.find({ org: one }, { limit: 9 })).entries.length, 1)
      assert.deepEqual(await append(storage, [fresh, repeat]), ['stored', 'duplicate'])
      await conserved(storage)
    },
  },
  {
    promise: 'a body of which an event was taken away is marked until it was written again with the others alone',
    async check(storage) {
      const events = [arrival(), arrival(), arrival()]
      await appendTogether(storage, events)
      assert.deepEqual(await storage.inbox.marked(9), [])
      const lease = await claimed(storage)
      const [gone, , last] = idsOf(lease)
      await storage.inbox.take(one, [gone!])
      const [body] = await storage.inbox.marked(9, one)
      assert.deepEqual([body?.org, body?.positions], [one, [1, 2]])
      await storage.inbox.take(one, [last!])
      assert.equal(await storage.inbox.rewrite(body!, Buffer.from('with too much')), false, 'one more was taken since')
      const [again] = await storage.inbox.marked(9, one)
      assert.deepEqual(again?.positions, [1])
      assert.equal(await storage.inbox.rewrite(again!, Buffer.from('the rest')), true)
      assert.deepEqual(await storage.inbox.marked(9), [])
      const rest = await claimed(storage)
      assert.deepEqual(messagesOf(rest), [events[1]!.messageId])
      assert.equal(sealedOf(rest, rest.entries[0]!).toString(), 'the rest')
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'a body that does not open is dropped, and what is not final of it is quarantined, wherever it stood',
    async check(storage) {
      await appendTogether(storage, [arrival(), arrival(), arrival({ state: 'asking' }), arrival()])
      const lease = await claimed(storage, 'send', { limit: 2 })
      const [sent, gone] = idsOf(lease)
      await storage.inbox.settle(lease, [to(sent!, 'delivered')], idle)
      await storage.inbox.take(one, [gone!])
      const [body] = await storage.inbox.marked(9)
      assert.equal(await storage.inbox.drop(body!, { reason: 'sealed_unreadable', now: 3_000 }), true)
      const { entries } = await storage.lookup.find({ org: one }, { limit: 9 })
      assert.deepEqual(
        entries.map(({ state, reason }) => [state, reason]),
        [
          ['quarantined', 'sealed_unreadable'],
          ['quarantined', 'sealed_unreadable'],
          ['delivered', undefined],
        ],
      )
      assert.equal(await claimOne(storage.inbox, 'send', options), undefined)
      assert.equal(await claimOne(storage.inbox, 'ask', options), undefined)
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'a long run of attempts that failed is kept as its first and its last, and the entry is delivered all the same',
    async check(storage) {
      await append(storage, [arrival()])
      for (let tries = 1; tries <= 60; tries++) {
        const lease = await claimed(storage)
        const attempt = { at: 2_000, ms: 5, status: 503, many: 1, tries }
        await storage.inbox.settle(lease, [to(idsOf(lease)[0]!, 'same', { attempt })], idle)
      }
      const shown = async () => (await storage.lookup.find({ org: one }, { limit: 1 })).entries[0]!
      assert.deepEqual(
        [(await shown()).state, (await shown()).answer],
        ['waiting', { status: 503, many: 1, tries: 60 }],
      )
      await deliverAll(storage, await claimed(storage))
      assert.deepEqual([(await shown()).state, (await shown()).answer?.status], ['delivered', 200])
      await storage.inbox.expire({ ...keepAll, deliveredBefore: 3_000 })
      assert.deepEqual((await storage.lookup.find({ org: one }, { limit: 9 })).entries, [])
      await conserved(storage)
    },
  },
]
