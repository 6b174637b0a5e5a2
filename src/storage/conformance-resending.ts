/** What every engine promises of sending again, to all destinations or one, and of the list of them all. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  conserved,
  idle,
  keepAll,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import { deliverAll, leases, second } from './conformance-destinations.ts'
import { all, idsOf, variety } from './conformance-lookup.ts'
import type { Destination } from './ports/entry.ts'

export const resendingPromises: readonly Promised[] = [
  {
    promise: 'what is redriven waits last in the queue under its messageId, and the counts follow',
    async check(storage) {
      const [a, b, c, d] = await variety(storage)
      const idOf = async (message: string | undefined) => (await all(storage, { message: message! }))[0]!.id
      const ids = [await idOf(a), await idOf(b), await idOf(d)]
      const moves = [{ id: ids[0]!, mapping: 2 }, { id: ids[1]! }, { id: ids[2]!, type: 'c_event' }, { id: 999 }]
      assert.equal(await storage.inbox.redrive(moves, 3_000, 'an admin'), 3)
      assert.equal(await storage.inbox.redrive(moves, 3_000, 'an admin'), 0, 'what waits already stays as it is')
      assert.equal(await total(storage, 'delivered'), 1)
      await conserved(storage)
      assert.equal((await claimed(storage)).org, other)
      const { entries } = await claimed(storage, 'send', { now: 3_000 })
      assert.deepEqual(
        entries.slice(-3).map(({ messageId, type, mapping }) => [messageId, type, mapping]),
        [
          [a, 'b_event', 2],
          [b, 'an_event', 1],
          [d, 'c_event', 1],
        ],
      )
      assert.deepEqual(await idsOf(storage, { org: one, states: ['delivered', 'dead', 'quarantined'] }), [c])
      const [again] = await all(storage, { message: a! })
      assert.deepEqual([again?.settledAt, again?.answer, again?.reason], [undefined, undefined, undefined])
    },
  },
  {
    promise: 'an entry driven again can be given to the account it belongs to, its counts with it',
    async check(storage) {
      await append(storage, [arrival({ state: 'quarantined', org: '', type: 'unreadable' })])
      const [found] = await all(storage, { states: ['quarantined'] })
      await storage.inbox.redrive([{ id: found!.id, org: one, type: 'an_event' }], 3_000, 'an admin')
      assert.deepEqual([await total(storage, 'received', ''), await total(storage, 'received', one)], [0, 1])
      assert.equal((await claimed(storage, 'send', { now: 3_000 })).org, one)
      assert.deepEqual(await idsOf(storage, { org: one, type: 'an_event' }), [found!.messageId])
      await conserved(storage)
    },
  },
  {
    promise:
      'a destination that is named gets what it never had, such as what came before it was added; another stays as it is',
    async check(storage) {
      const early = arrival()
      await storage.inbox.addDestination(one, 1)
      await append(storage, [early])
      await deliverAll(storage, (await leases(storage)).get(1)!)
      await storage.inbox.addDestination(one, second)
      const query = { org: one, message: early.messageId }
      const stateAt = async (at: { destination?: Destination }) =>
        (await storage.lookup.find({ ...query, ...at }, { limit: 1 })).entries[0]?.state
      assert.deepEqual(
        [await stateAt({}), await stateAt({ destination: 1 }), await stateAt({ destination: second })],
        ['delivered', 'delivered', 'not_given'],
      )
      const never = { org: one, destination: second, states: ['not_given'] } as const
      const { entries } = await storage.lookup.find(never, { limit: 9 })
      assert.deepEqual(
        entries.map(({ messageId }) => messageId),
        [early.messageId],
      )
      const { id } = entries[0]!
      assert.equal((await storage.lookup.read(id, second))?.state, 'not_given')
      assert.equal(await storage.inbox.redrive([{ id, destination: second }], 3_000, 'the suite'), 1)
      assert.equal(await storage.inbox.redrive([{ id, destination: second }], 3_000, 'the suite'), 0)
      assert.equal((await storage.lookup.read(id, second))?.state, 'waiting')
      await conserved(storage)
      const again = await leases(storage, 3_000)
      assert.deepEqual([...again.keys()], [second])
      await deliverAll(storage, again.get(second)!, 3_000)
      assert.equal(await stateAt({ destination: second }), 'delivered')
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what was ignored at one destination and is sent there again is taken from the count of its reason',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival()])
      const lease = (await leases(storage)).get(1)!
      const { id } = lease.entries[0]!
      await storage.inbox.settle(lease, [to(id, 'ignored', { reason: 'empty' })], idle)
      const ignored = async () => (await storage.ledger.totals()).filter(({ outcome }) => outcome === 'ignored')
      assert.deepEqual(
        (await ignored()).map(({ reason, count }) => [reason, count]),
        [['empty', 1]],
      )
      assert.equal(await storage.inbox.redrive([{ id, destination: 1 }], 3_000, 'the suite'), 1)
      assert.deepEqual(
        (await ignored()).filter(({ count }) => count !== 0),
        [],
      )
      await conserved(storage)
    },
  },
  {
    promise: 'what was delivered, sent again and then dead is not delivered there any more when its time is over',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      const sent = arrival()
      await append(storage, [sent])
      const lease = (await leases(storage)).get(1)!
      const { id } = lease.entries[0]!
      const here = [{ id, destination: 1 }]
      await deliverAll(storage, lease)
      assert.equal(await storage.inbox.redrive(here, 3_000, 'the suite'), 1)
      const again = (await leases(storage, 3_000)).get(1)!
      await storage.inbox.settle(again, [to(id, 'dead', { reason: 'segment_400' })], idle)
      await storage.inbox.expire({ ...keepAll, failedBefore: 5_000 })
      assert.equal((await storage.lookup.read(id, 1))?.state, 'not_given')
      assert.equal((await storage.lookup.read(id, second))?.state, 'waiting')
      assert.equal(await storage.inbox.redrive(here, 6_000, 'the suite'), 1)
      const counts = (await storage.ledger.totals()).filter(({ destination }) => destination === 1)
      assert.deepEqual(
        counts.filter(({ count }) => count !== 0).map(({ outcome, count }) => [outcome, count]),
        [
          ['dead', 1],
          ['taken', 2],
        ],
        'it was taken over twice, and one of the two was dead',
      )
      await conserved(storage)
    },
  },
  {
    promise:
      'what is chosen for sending again is of one destination: the mapping, and how often it was sent there as new',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await storage.inbox.addDestination(one, second)
      await append(storage, [arrival()])
      const both = await leases(storage)
      const { id } = both.get(1)!.entries[0]!
      for (const lease of both.values()) await deliverAll(storage, lease)
      const choiceAt = async (destination: Destination) => {
        const { mapping, sending } = (await storage.lookup.read(id, destination))!
        return [mapping, sending]
      }
      const sendAgain = async (now: number, mapping: number) => {
        assert.equal(
          await storage.inbox.redrive([{ id, destination: second, asNew: true, mapping }], now, 'the suite'),
          1,
        )
        const again = (await leases(storage, now)).get(second)!
        assert.deepEqual([again.entries[0]!.mapping, again.entries[0]!.sending], await choiceAt(second))
        await deliverAll(storage, again, now)
      }
      await sendAgain(3_000, 7)
      assert.deepEqual(
        [await choiceAt(1), await choiceAt(second)],
        [
          [1, undefined],
          [7, 1],
        ],
      )
      await sendAgain(4_000, 1)
      assert.deepEqual(
        [await choiceAt(1), await choiceAt(second)],
        [
          [1, undefined],
          [1, 2],
        ],
      )
      assert.equal(await storage.inbox.redrive([{ id }], 5_000, 'the suite'), 1)
      const repeated = await leases(storage, 5_000)
      assert.deepEqual(
        [1, second].map((at) => repeated.get(at)!.entries[0]!.sending),
        [undefined, 2],
      )
      await storage.inbox.settle(repeated.get(1)!, [to(id, 'dead', { reason: 'said' })], idle)
      assert.equal(await storage.inbox.redrive([{ id, destination: 1, asNew: true }], 6_000, 'the suite'), 1)
      assert.deepEqual(await choiceAt(1), [1, undefined], 'what was refused is not known there')
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'every destination of every account is named, but for those that were removed',
    async check(storage) {
      await append(storage, [arrival(), arrival({ org: other })])
      await storage.inbox.addDestination(one, second)
      await storage.inbox.addDestination(one, 3)
      await storage.inbox.removeDestination(one, second, 2_000)
      const named = (await storage.inbox.allDestinations()).map(({ org, destination }) => `${org} ${destination}`)
      assert.deepEqual(named.sort(), [`${one} 1`, `${one} 3`, `${other} 1`].sort())
    },
  },
]
