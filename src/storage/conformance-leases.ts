/** What every engine promises of a lease: who gets it, what it gives, and who may settle. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  claimOne,
  claimOptions,
  conserved,
  countIn,
  doneIn,
  idle,
  laneOf,
  nothingDue,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import { type Entry, type Org, sendLane } from './ports/entry.ts'

export const leasePromises: readonly Promised[] = [
  {
    promise: 'a claim gives no more than its limits, but one entry at least',
    async check(storage) {
      await append(
        storage,
        Array.from({ length: 5 }, () => arrival({ sealed: Buffer.alloc(1_000) })),
      )
      const few = await claimed(storage, 'send', { limit: 3 })
      assert.equal(few.entries.length, 3)
      await storage.inbox.settle(few, [], idle)
      const small = await claimed(storage, 'send', { bytesMax: 2_500 })
      assert.equal(small.entries.length, 2)
      await storage.inbox.settle(small, [], idle)
      assert.equal((await claimed(storage, 'send', { bytesMax: 10 })).entries.length, 1)
    },
  },
  {
    promise: 'one account has one lease a lane at a time, however many claim at once',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      const leases = await Promise.all(Array.from({ length: 5 }, () => claimOne(storage.inbox, 'send', claimOptions)))
      assert.deepEqual(leases.flatMap((lease) => lease?.org ?? []).sort(), [one, other])
    },
  },
  {
    promise: 'accounts take turns: the one served longest ago comes first, whatever another has waiting',
    async check(storage) {
      await append(
        storage,
        Array.from({ length: 20 }, () => arrival()),
      )
      const flood = await claimed(storage, 'send', { limit: 2 })
      await append(storage, [arrival({ org: other })])
      await storage.inbox.settle(flood, [], idle)
      assert.equal((await claimed(storage, 'send', { limit: 2 })).org, other)
      assert.equal((await claimed(storage, 'send', { limit: 2 })).org, one)
    },
  },
  {
    promise: 'no claim gives an entry again that was settled as delivered, dead or quarantined',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival(), arrival()])
      const lease = await claimed(storage)
      const [a, b, c, d] = lease.entries.map(({ id }) => id)
      const settlements = [
        to(a!, 'delivered'),
        to(b!, 'dead', { reason: 'why' }),
        to(c!, 'quarantined', { reason: 'odd' }),
        to(d!, 'ignored'),
      ]
      assert.equal(await storage.inbox.settle(lease, settlements, idle), true)
      await nothingDue(storage)
      assert.equal(await total(storage, 'delivered'), 1)
      assert.equal(await total(storage, 'ignored'), 1)
      assert.equal(await countIn(storage, 'dead'), 1)
      const reasons = (await storage.ledger.backlog()).flatMap(({ reason }) => reason ?? [])
      assert.deepEqual(reasons.sort(), ['odd', 'why'])
      await conserved(storage)
    },
  },
  {
    promise: 'a lease that has run out goes to the next, the crash is counted, and the late holder can settle nothing',
    async check(storage) {
      await append(storage, [arrival()])
      const early = await claimed(storage, 'send', { leaseMs: 1_000 })
      assert.equal(early.crashes, 0)
      await nothingDue(storage, 2_999)
      const late = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(late.crashes, 1)
      assert.deepEqual(
        late.entries.map(({ messageId }) => messageId),
        early.entries.map(({ messageId }) => messageId),
      )
      const { id } = early.entries[0]!
      assert.equal(await storage.inbox.settle(early, [to(id, 'dead')], idle), false)
      assert.equal(await storage.inbox.renew(early, 9_000), false)
      assert.equal(await countIn(storage, 'waiting'), 1)
      assert.equal(await storage.inbox.settle(late, [to(id, 'delivered')], idle), true)
      assert.equal(await storage.inbox.settle(late, [to(id, 'dead')], idle), false)
      assert.equal(await total(storage, 'delivered'), 1)
    },
  },
  {
    promise: 'a lease that its holder does not work on is given back to it at once, and no crash is counted',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        await append(storage, [arrival({ state: lane === 'send' ? 'waiting' : 'asking' })])
        const lost = await claimed(storage, lane, { holder: { id: 'a', busy: [] } })
        const claim = (id: string, busy: Org[], now = 2_000) =>
          claimOne(storage.inbox, lane, {
            ...claimOptions,
            now,
            holder: { id, busy: busy.map((org) => laneOf(org, lane)) },
          })
        assert.equal(await claim('a', [one]), undefined, 'its holder works on it')
        assert.equal(await claim('b', []), undefined, 'it is the lease of another')
        assert.equal(await claim('a', [one], 99_000), undefined, 'its holder works on it, whatever the time')
        const again = (await claim('a', [other]))!
        assert.equal(again.crashes, 0)
        assert.deepEqual(again.entries, lost.entries)
        const { id } = again.entries[0]!
        assert.equal(await storage.inbox.settle(lost, [to(id, doneIn[lane])], idle), false)
        assert.equal(await storage.inbox.renew(lost, 99_000), false)
        assert.equal(await storage.inbox.renew(again, 70_000), true)
        const others = (await claim('b', [other], 70_000))!
        assert.equal(others.crashes, 1, 'another has to take the silence for a crash')
        assert.equal(await storage.inbox.settle(others, [], idle), true)
        assert.equal(await claim('a', [one], 99_000), undefined, 'it has not noticed yet that another had the lane')
        await storage.inbox.settle((await claim('a', []))!, [to(id, doneIn[lane])], idle)
      }
    },
  },
  {
    promise: 'a lane with a lost lease is due to its holder at once, to others when it has run out',
    async check(storage) {
      await append(storage, [arrival()])
      await claimed(storage, 'send', { holder: { id: 'a', busy: [] } })
      const due = (id: string, busy: Org[]) =>
        storage.inbox.nextDue('send', { id, busy: busy.map((org) => sendLane(org)) })
      assert.equal(await due('a', []), 1_000)
      assert.equal(await due('a', [one]), undefined, 'it hears of it when its work ends')
      assert.equal(await due('b', []), 62_000)
      assert.equal(await storage.inbox.nextDue('send'), 62_000)
    },
  },
  {
    promise: 'a lease is its holder’s alone, though another was given one with the same number',
    async check(storage) {
      await append(storage, [arrival()])
      const lease = await claimed(storage, 'send', { holder: { id: 'a', busy: [] } })
      const another = { ...lease, holder: 'b' }
      const { id } = lease.entries[0]!
      assert.equal(await storage.inbox.settle(another, [to(id, 'delivered')], idle), false)
      assert.equal(await storage.inbox.renew(another, 99_000), false)
      assert.deepEqual((await storage.inbox.more(another, 0, { limit: 10, bytesMax: 1_000 })).entries, [])
      assert.equal(await storage.inbox.settle(lease, [to(id, 'delivered')], idle), true)
    },
  },
  {
    promise: "a send lease goes on to what follows in its account's line, within limits, and not for a late holder",
    async check(storage) {
      const all = [1, 2, 3, 4, 5].map(() => arrival())
      await append(storage, [...all, arrival({ org: other }), arrival({ state: 'asking' })])
      const ids = (entries: readonly Entry[]) => entries.map(({ messageId }) => messageId)
      const sent = all.map(({ messageId }) => messageId)
      const lease = await claimed(storage, 'send', { limit: 2, leaseMs: 1_000 })
      assert.deepEqual(ids(lease.entries), sent.slice(0, 2))
      await storage.inbox.settle(lease, [to(lease.entries[1]!.id, 'ignored')])
      const more = (await storage.inbox.more(lease, lease.entries[1]!.place, { limit: 2, bytesMax: 1e6 })).entries
      assert.deepEqual(ids(more), sent.slice(2, 4))
      const small = (await storage.inbox.more(lease, lease.entries[1]!.place, { limit: 2, bytesMax: 1 })).entries
      assert.deepEqual(ids(small), sent.slice(2, 3), 'one at least')
      const last = (await storage.inbox.more(lease, more[1]!.place, { limit: 9, bytesMax: 1e6 })).entries
      assert.deepEqual(ids(last), sent.slice(4))
      assert.deepEqual((await storage.inbox.more(lease, last[0]!.place, { limit: 9, bytesMax: 1e6 })).entries, [])
      assert.equal(await storage.inbox.settle(lease, [to(last[0]!.id, 'delivered')]), true)
      await claimed(storage, 'send', { now: 3_000 })
      await claimed(storage, 'send', { now: 3_000 })
      assert.deepEqual((await storage.inbox.more(lease, 0, { limit: 9, bytesMax: 1e6 })).entries, [])
    },
  },
  {
    promise: 'a renewed lease lasts until then',
    async check(storage) {
      await append(storage, [arrival()])
      const lease = await claimed(storage, 'send', { leaseMs: 1_000 })
      assert.equal(await storage.inbox.renew(lease, 9_000), true)
      await nothingDue(storage, 8_999)
      assert.equal((await claimed(storage, 'send', { now: 9_000 })).crashes, 1)
    },
  },
]
