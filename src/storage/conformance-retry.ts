/** The promises about a person who wants an attempt now. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, claimOne, idle, laneOf, one, type Promised, to } from './conformance.ts'
import { askLane, type Lane, type State, sendLane } from './ports/entry.ts'
import type { Ending } from './ports/inbox.ts'
import type { LaneShown } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'

const [now, minuteMs] = [2_000, 60_000]
const lanes = [
  ['send', 'waiting'],
  ['ask', 'asking'],
] as const

async function shownLane(storage: Storage, lane: Lane): Promise<LaneShown | undefined> {
  return (await storage.lookup.lanes(one)).find(({ lane: name }) => name === lane)
}

/** One entry waits in the lane, whose last lease ended so. */
async function ended(storage: Storage, lane: Lane, state: State & ('waiting' | 'asking'), ending: Ending) {
  await append(storage, [arrival({ state })])
  await storage.inbox.settle(await claimed(storage, lane), [], ending)
}

const backsOff = { readyAt: now + minuteMs, failures: 3, tried: { at: now, lastError: 'segment_503' } } as const
const isDue = async (storage: Storage, lane: Lane, at: number) => (await storage.inbox.nextDue(lane)) === at

export const retryPromises: readonly Promised[] = [
  {
    promise: 'a retry makes a lane due now that backs off, and it is shown as asked for until the attempt has ended',
    async check(storage) {
      for (const [lane, state] of lanes) {
        await ended(storage, lane, state, backsOff)
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now + 1), { is: 'asked' })
        const shown = await shownLane(storage, lane)
        assert.deepEqual([shown?.asked, shown?.askedAt, shown?.failures], [true, now + 1, 3])
        const lease = await claimed(storage, lane, { now: now + 1 })
        assert.deepEqual([lease.asked, lease.failures], [true, 3])
        // Nothing was tried: the next lease is the attempt.
        await storage.inbox.settle(lease, [], { readyAt: now + 1, failures: 3 })
        const again = await claimed(storage, lane, { now: now + 1 })
        assert.equal(again.asked, true)
        await storage.inbox.settle(again, [], { ...backsOff, readyAt: now + 2 })
        const after = await shownLane(storage, lane)
        assert.deepEqual([after?.asked, after?.askedAt], [undefined, now + 1])
        const next = await claimed(storage, lane, { now: now + 2 })
        assert.equal(next.asked, undefined)
        await storage.inbox.settle(next, [to(next.entries[0]!.id, 'ignored')], idle)
      }
    },
  },
  {
    promise: 'a retry leaves a lane blocked, with its failures: what it makes due is a probe of one entry',
    async check(storage) {
      const asBlocked = { ...backsOff, blocked: 'segment_401' }
      await ended(storage, 'send', 'waiting', asBlocked)
      await append(storage, [arrival()])
      assert.deepEqual(await storage.inbox.retry(sendLane(one), now), { is: 'asked' })
      const probe = await claimed(storage, 'send')
      assert.deepEqual([probe.entries.length, probe.blocked, probe.failures], [1, 'segment_401', 3])
    },
  },
  {
    promise: 'a retry asks at once what waits for a time of its own',
    async check(storage) {
      await append(storage, [arrival({ state: 'asking', dueAt: now + minuteMs })])
      await append(storage, [arrival({ state: 'asking', dueAt: now + 2 * minuteMs })])
      assert.deepEqual(await storage.inbox.retry(askLane(one), now), { is: 'asked' })
      assert.equal((await claimed(storage, 'ask')).entries.length, 2)
    },
  },
  {
    promise: 'a retry of a lane where nothing waits, or that is held, changes nothing and says so',
    async check(storage) {
      for (const [lane, state] of lanes) {
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now), { is: 'nothing' })
        await ended(storage, lane, state, backsOff)
        await storage.inbox.hold(laneOf(one, lane), 'paused')
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now), { is: 'held', reason: 'paused' })
        assert.equal(await claimOne(storage.inbox, lane, { now, leaseMs: 1, limit: 1, bytesMax: 1 }), undefined)
        const shown = await shownLane(storage, lane)
        assert.deepEqual([shown?.asked, shown?.askedAt, shown?.readyAt], [undefined, undefined, backsOff.readyAt])
      }
    },
  },
  {
    promise: 'a retry is made once in ten seconds, and says until when',
    async check(storage) {
      for (const [lane, state] of lanes) {
        await ended(storage, lane, state, backsOff)
        await storage.inbox.retry(laneOf(one, lane), now)
        await storage.inbox.settle(await claimed(storage, lane), [], backsOff)
        const later = { is: 'later', at: now + 10_000, why: 'just_tried' }
        for (const at of [now, now + 9_999]) assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), at), later)
        assert.ok(await isDue(storage, lane, backsOff.readyAt))
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now + 10_000), { is: 'asked' })
        // A clock that has been set back does not make a person wait for as long.
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now), { is: 'asked' })
      }
    },
  },
  {
    promise: 'within a Retry-After a retry leaves the lane alone and says until when; the next ending forgets it',
    async check(storage) {
      for (const [lane, state] of lanes) {
        const retryAfterAt = now + minuteMs / 2
        await ended(storage, lane, state, { ...backsOff, retryAfterAt })
        assert.equal((await shownLane(storage, lane))?.retryAfterAt, retryAfterAt)
        const later = { is: 'later', at: retryAfterAt, why: 'retry_after' }
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), retryAfterAt - 1), later)
        assert.ok(await isDue(storage, lane, backsOff.readyAt))
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), retryAfterAt), { is: 'asked' })
        await storage.inbox.settle(await claimed(storage, lane, { now: retryAfterAt }), [], backsOff)
        assert.equal((await shownLane(storage, lane))?.retryAfterAt, undefined)
      }
    },
  },
  {
    promise: 'a retry while a lease is under way takes that for the attempt, and gives the lane to no other holder',
    async check(storage) {
      for (const [lane, state] of lanes) {
        await append(storage, [arrival({ state })])
        const lease = await claimed(storage, lane)
        assert.deepEqual(await storage.inbox.retry(laneOf(one, lane), now), { is: 'asked' })
        assert.equal(await claimOne(storage.inbox, lane, { now, leaseMs: 1, limit: 1, bytesMax: 1 }), undefined)
        assert.equal(await storage.inbox.settle(lease, [], backsOff), true)
        assert.equal((await shownLane(storage, lane))?.asked, undefined)
        assert.ok(await isDue(storage, lane, backsOff.readyAt))
      }
    },
  },
  {
    promise: 'what a person asked for is over when nothing waits any more',
    async check(storage) {
      await ended(storage, 'send', 'waiting', backsOff)
      await storage.inbox.retry(sendLane(one), now)
      while ((await storage.inbox.erase(one)) > 0);
      assert.equal(await claimOne(storage.inbox, 'send', { now, leaseMs: 1, limit: 1, bytesMax: 1 }), undefined)
      assert.equal((await shownLane(storage, 'send'))?.asked, undefined)
    },
  },
  {
    promise:
      'a person who resumes has one attempt made at once, but not within a Retry-After, nor twice in ten seconds',
    async check(storage) {
      for (const [lane, state] of lanes) {
        const retryAfterAt = now + minuteMs / 2
        const asBlocked = { ...backsOff, blocked: 'segment_401' }
        const pauseAndResume = async (at: number) => {
          await storage.inbox.hold(laneOf(one, lane), 'paused')
          await storage.inbox.resume(laneOf(one, lane), at, true)
          const shown = await shownLane(storage, lane)
          assert.deepEqual([shown?.hold, shown?.blocked, shown?.failures], [undefined, undefined, 0])
          return shown?.asked
        }
        await ended(storage, lane, state, { ...asBlocked, retryAfterAt })
        assert.equal(await pauseAndResume(now), undefined)
        assert.ok(await isDue(storage, lane, retryAfterAt))
        assert.equal(await pauseAndResume(retryAfterAt), true)
        await storage.inbox.settle(await claimed(storage, lane, { now: retryAfterAt }), [], asBlocked)
        assert.equal(await pauseAndResume(retryAfterAt + 1), undefined)
        assert.ok(await isDue(storage, lane, retryAfterAt + 10_000))
        // What a person did not ask for, such as the attempt after a new key, waits for neither.
        await storage.inbox.resume(laneOf(one, lane), now)
        assert.ok(await isDue(storage, lane, now))
      }
    },
  },
]
