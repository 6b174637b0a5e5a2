/** What every engine promises of leases that end without a word, and of an entry that may be to blame. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, doneIn, idle, nothingDue, one, type Promised, to } from './conformance.ts'

export const crashPromises: readonly Promised[] = [
  {
    promise:
      'a lease whose work failed is counted as one that ended without a word, and the lane waits as its ending says',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const crashed = { readyAt: 3_000, failures: 2, blocked: 'key_refused', crashed: true } as const
      assert.equal(await storage.inbox.settle(await claimed(storage), [], crashed), true)
      await nothingDue(storage, 2_999)
      const { crashes, failures, blocked } = await claimed(storage, 'send', { now: 3_000, leaseMs: 1 })
      assert.deepEqual([crashes, failures, blocked], [1, 2, 'key_refused'])
      const late = await claimed(storage, 'send', { now: 3_001 })
      await storage.inbox.settle(late, [], { readyAt: 3_001, failures: 0, crashed: true })
      const isolating = await claimed(storage, 'send', { now: 3_001 })
      assert.deepEqual([isolating.crashes, isolating.entries.length], [3, 1])
    },
  },
  {
    promise: 'a lane whose work failed rests until its ending says, whatever arrives meanwhile',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 9_000, failures: 0, crashed: true })
      await append(storage, [arrival({ receivedAt: 2_000 })])
      await nothingDue(storage, 8_999)
      assert.equal((await claimed(storage, 'send', { now: 9_000 })).entries.length, 2)
    },
  },
  {
    promise: 'a lease that ended in words starts the count of crashes again',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const early = await claimed(storage, 'send', { leaseMs: 100 })
      const late = await claimed(storage, 'send', { now: 2_100 })
      assert.deepEqual([early.crashes, late.crashes], [0, 1])
      await storage.inbox.settle(late, [], idle)
      const { crashes, entries } = await claimed(storage, 'send', { now: 2_100 })
      assert.deepEqual([crashes, entries.length], [0, 2])
    },
  },
  {
    promise: 'after three crashes, as many entries as may be to blame are given out one by one, and then all again',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const state = lane === 'send' ? 'waiting' : 'asking'
        const arrive = (many: number) =>
          append(
            storage,
            Array.from({ length: many }, () => arrival({ state })),
          )
        const limit = 4
        await arrive(6)
        for (let crashes = 0; crashes < 3; crashes++) {
          const lease = await claimed(storage, lane, { now: 2_000 + crashes, leaseMs: 1, limit })
          assert.deepEqual([lease.crashes, lease.entries.length], [crashes, limit])
        }
        const given: number[] = []
        for (let leases = 0; leases < limit + 2; leases++) {
          const lease = await claimed(storage, lane, { now: 2_003, limit })
          const { id, place } = lease.entries[0]!
          const limits = { limit, bytesMax: 1_000 }
          const follows = lane === 'send' ? (await storage.inbox.more(lease, place, limits)).entries : []
          given.push(lease.entries.length + (leases < limit + 1 ? follows.length : 0))
          // An outage: the entry is still queued, and still as suspect.
          const isOut = leases === 1
          const settlements = isOut ? [] : [to(id, doneIn[lane])]
          await storage.inbox.settle(lease, settlements, { ...idle, failures: isOut ? 1 : 0 })
          await arrive(1)
        }
        assert.deepEqual(given, [1, 1, 1, 1, 1, limit])
      }
    },
  },
  {
    promise:
      'an entry that ends every lease it is in is alone after three, whatever stands before it; with it ends all care',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const state = lane === 'send' ? 'waiting' : 'asking'
        const [poison, line] = [arrival({ state }), Array.from({ length: 4 }, () => arrival({ state }))]
        await append(storage, [...line, poison, arrival({ state }), arrival({ state })])
        const isPoison = ({ messageId }: { messageId: string }) => messageId === poison.messageId
        let now = 2_000
        for (let [deaths, alone] = [0, 0]; alone < 10; ) {
          const lease = await claimed(storage, lane, { now, leaseMs: 1 })
          assert.equal(lease.entries.length, deaths < 3 ? 7 : 1)
          if (lease.entries.some(isPoison)) {
            assert.equal(lease.crashes, deaths < 3 ? deaths : alone++)
            deaths++
            now++
          } else await storage.inbox.settle(lease, [to(lease.entries[0]!.id, doneIn[lane])], idle)
        }
        const last = await claimed(storage, lane, { now })
        assert.deepEqual([last.crashes, last.entries.map(isPoison)], [10, [true]])
        await storage.inbox.settle(last, [to(last.entries[0]!.id, 'quarantined', { reason: 'why' })], idle)
        const rest = await claimed(storage, lane, { now })
        assert.deepEqual([rest.crashes, rest.entries.length], [0, 2])
      }
    },
  },
  {
    promise: 'care ends with the entries it was for: when the lane is found empty, what comes next comes together',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      for (let now = 2_000; now < 2_003; now++) await claimed(storage, 'send', { now, leaseMs: 1 })
      const { entries } = await claimed(storage, 'send', { now: 2_003, leaseMs: 1 })
      assert.equal(entries.length, 1)
      const all = await storage.lookup.find({ org: one }, { limit: 9 })
      await storage.inbox.take(
        one,
        all.entries.map(({ id }) => id),
      )
      await nothingDue(storage, 2_004)
      await append(storage, [arrival(), arrival()])
      const { crashes, entries: both } = await claimed(storage, 'send', { now: 2_005 })
      assert.deepEqual([crashes, both.length], [0, 2])
    },
  },
]
