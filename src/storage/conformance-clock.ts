/** The promises about time: whatever a clock has written that has been set back since, nothing is waited for for long. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, claimOne, idle, one, type Promised, to } from './conformance.ts'
import type { Storage } from './ports/storage.ts'

const [minuteMs, dayMs] = [60_000, 24 * 3_600_000]
const now = 2_000
/** What a clock said that was ahead by a day, and has been set right since. */
const ahead = now + dayMs
const lanes = [
  ['send', 'waiting'],
  ['ask', 'asking'],
] as const

const claim = (storage: Storage, lane: 'send' | 'ask', at = now, farAhead = false) =>
  claimOne(storage.inbox, lane, { now: at, leaseMs: minuteMs, limit: 100, bytesMax: 1_000_000, farAhead })

export const clockPromises: readonly Promised[] = [
  {
    promise:
      'a backoff that was written by a clock that has been set back is over for a claim that looks far ahead, and no other is',
    async check(storage) {
      for (const [lane, state] of lanes) {
        await append(storage, [arrival({ state, receivedAt: ahead })])
        const lease = await claimed(storage, lane, { now: ahead })
        await storage.inbox.settle(lease, [], { readyAt: ahead + minuteMs, failures: 3 })
        await append(storage, [arrival({ state, receivedAt: now })])
        assert.equal(await claim(storage, lane), undefined)
        const again = await claimed(storage, lane, { farAhead: true })
        assert.equal(again.entries.length, 2)
        // What the right clock says is kept to, also at its longest.
        await storage.inbox.settle(again, [], { readyAt: now + 15 * minuteMs, failures: 30 })
        for (const at of [now, now + 15 * minuteMs - 1])
          for (const farAhead of [true, false]) assert.equal(await claim(storage, lane, at, farAhead), undefined)
        const last = await claimed(storage, lane, { now: now + 15 * minuteMs })
        await storage.inbox.settle(
          last,
          last.entries.map(({ id }) => to(id, 'ignored')),
          idle,
        )
      }
    },
  },
  {
    promise: 'the time to a probe is an hour at most, whatever a clock that has been set back has written',
    async check(storage) {
      await append(storage, [arrival({ receivedAt: ahead })])
      const asBlocked = { readyAt: ahead + 60 * minuteMs, failures: 8, blocked: 'key_refused' }
      await storage.inbox.settle(await claimed(storage, 'send', { now: ahead }), [], asBlocked)
      const probe = await claimed(storage, 'send', { farAhead: true })
      await storage.inbox.settle(probe, [], { ...asBlocked, readyAt: now + 60 * minuteMs })
      assert.equal(await claim(storage, 'send', now, true), undefined)
      assert.equal(await claim(storage, 'send', now + 60 * minuteMs - 1, true), undefined)
      await claimed(storage, 'send', { now: now + 60 * minuteMs })
    },
  },
  {
    promise: 'a lookup that waits for a time of a clock that has been set back is made with the others',
    async check(storage) {
      await append(storage, [arrival({ state: 'asking', receivedAt: ahead })])
      const lease = await claimed(storage, 'ask', { now: ahead })
      const later = to(lease.entries[0]!.id, 'asking', { at: ahead, dueAt: ahead + minuteMs, reason: 'missing' })
      await storage.inbox.settle(lease, [later], { readyAt: ahead, failures: 0 })
      await append(storage, [arrival({ state: 'asking', receivedAt: now })])
      assert.equal((await claimed(storage, 'ask', { farAhead: true })).entries.length, 2)
    },
  },
  {
    promise: 'a lease is shortened to what one can last, stays its holder’s until then, and goes to the next',
    async check(storage) {
      await append(storage, [arrival(), arrival({ org: 'another' })])
      const long = await claimed(storage, 'send', { now: ahead })
      const usual = await claimed(storage)
      await storage.inbox.shortenLeases(now + 2 * minuteMs)
      assert.equal(await claim(storage, 'send', now + minuteMs - 1), undefined)
      assert.equal((await claimed(storage, 'send', { now: now + minuteMs })).org, usual.org)
      assert.equal(await storage.inbox.renew(long, ahead), true)
      await storage.inbox.shortenLeases(now + 2 * minuteMs)
      assert.equal(await claim(storage, 'send', now + 2 * minuteMs - 1), undefined)
      const next = await claimed(storage, 'send', { now: now + 2 * minuteMs, leaseMs: 10 * minuteMs })
      assert.equal(next.org, long.org)
      assert.equal(await storage.inbox.renew(long, ahead), false)
    },
  },
  {
    promise: 'when the clock is set back, what waits for a later time waits as long as it would have',
    async check(storage) {
      const byMs = 5 * minuteMs
      await append(storage, [arrival({ receivedAt: now + byMs })])
      await append(storage, [arrival({ state: 'asking', receivedAt: now + byMs })])
      const lease = await claimed(storage, 'send', { now: now + byMs })
      await storage.inbox.settle(lease, [], { readyAt: now + byMs + 9_000, failures: 4 })
      const question = await claimed(storage, 'ask', { now: now + byMs })
      const later = to(question.entries[0]!.id, 'asking', { at: now + byMs, dueAt: now + byMs + 9_000 })
      await storage.inbox.settle(question, [later], { readyAt: now + byMs, failures: 0 })
      await storage.inbox.clockSetBack(byMs, now)
      for (const [lane] of lanes) {
        assert.equal(await storage.inbox.nextDue(lane), now + 9_000)
        assert.equal(await claim(storage, lane, now + 8_999), undefined)
        await claimed(storage, lane, { now: now + 9_000 })
      }
    },
  },
  {
    promise: 'the store says when the entry that came last was received, by whatever clock',
    async check({ inbox, lookup }) {
      assert.equal(await lookup.lastReceivedAt(), undefined)
      await append({ inbox }, [arrival({ receivedAt: ahead })])
      assert.equal(await lookup.lastReceivedAt(), ahead)
      await append({ inbox }, [arrival({ receivedAt: now, org: 'another', state: 'quarantined' })])
      assert.equal(await lookup.lastReceivedAt(), now)
    },
  },
  {
    promise: 'an event is not taken for a repeat of one that came later by a clock that has been set back',
    async check(storage) {
      const first = arrival({ receivedAt: ahead, rememberMs: 10 * minuteMs })
      const again = (receivedAt: number) => ({ ...arrival(), ...first, messageId: 'again', receivedAt })
      await append(storage, [first])
      // Set back by less than it is remembered, it may well be a repeat.
      assert.deepEqual(await append(storage, [again(ahead - 9 * minuteMs)]), ['duplicate'])
      assert.deepEqual(await append(storage, [again(now)]), ['stored'])
      assert.deepEqual(await append(storage, [again(now)]), ['duplicate'])
    },
  },
  {
    promise: 'a reservation of a clock that has been set back is over',
    async check({ installs }) {
      const of = (holder: string, until: number) => ({ org: one, holder, until })
      assert.equal(await installs.reserve(of('a', ahead + 20_000), ahead), true)
      assert.equal(await installs.reserve(of('b', now + 20_000), now), true)
      // Another's clock may be ahead by some seconds.
      assert.equal(await installs.reserve(of('c', now + 10_000), now - 10_000), false)
    },
  },
  {
    promise: 'a ticket that was made later than now, by a clock that has been set back, is as if it were not there',
    async check({ tickets }) {
      const kept = { kind: 'session', id: 'a', org: one, who: 'an admin', at: ahead, until: ahead + minuteMs } as const
      await tickets.issue(kept, 10)
      assert.equal(await tickets.get(kept, now), undefined)
      assert.equal(await tickets.redeem(kept, now), undefined)
      assert.ok(await tickets.get(kept, ahead - 30_000), 'another’s clock may be ahead by some seconds')
    },
  },
]
