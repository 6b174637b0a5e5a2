import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Random } from '../lib/random.ts'
import { sendLane } from '../storage/ports/entry.ts'
import type { Ending, Lease } from '../storage/ports/inbox.ts'
import { endingOf, type Pause, unprobed } from './settle.ts'

const now = Date.UTC(2025, 5, 1)
const [minute, hour] = [60_000, 3_600_000]

function lease(failures: number, blocked?: string): Lease {
  return { ...sendLane('1'), token: 1, failures, crashes: 0, ...(blocked ? { blocked } : {}), entries: [], bodies: [] }
}

function chance(fraction: number): Random {
  return { bytes: (count) => Buffer.alloc(count), fraction: () => fraction }
}

function waitMs(ending: Ending): number {
  return ending.readyAt - now
}

describe('when a lane goes on', () => {
  test('after success at once, with everything forgotten', () => {
    assert.deepEqual(endingOf(lease(7, 'segment_401'), undefined, now, chance(0)), {
      readyAt: now,
      failures: 0,
      tried: { at: now },
    })
  })

  test('after failures ever later with half of it left to chance, at most 15 minutes, without end', () => {
    for (let failures = 0; failures < 2_000; failures++) {
      const outage: Pause = { is: 'later', reason: 'segment_500' }
      const soonest = endingOf(lease(failures), outage, now, chance(0))
      const latest = endingOf(lease(failures), outage, now, chance(0.999_999))
      const full = Math.min(2 ** failures * 1_000, 15 * minute)
      assert.deepEqual([waitMs(soonest), waitMs(latest)], [full / 2, full])
      assert.equal(soonest.failures, failures + 1)
      assert.equal(soonest.blocked, undefined)
    }
  })

  test('not before the other side wants it, but within 15 minutes', () => {
    const after = (failures: number, afterMs: number) =>
      endingOf(lease(failures), { is: 'later', reason: 'segment_429', afterMs }, now, chance(0))
    const asked = (failures: number, afterMs: number) => waitMs(after(failures, afterMs))
    assert.equal(asked(0, 7_000), 7_000)
    assert.equal(asked(0, hour), 15 * minute)
    assert.equal(asked(12, 1_000), 7.5 * minute, 'a Retry-After of a second must not make a hot loop')
    assert.equal(after(12, 1_000).retryAfterAt, now + 1_000, 'what it asked for is kept apart from the backoff')
    assert.equal(after(0, hour).retryAfterAt, now + 15 * minute)
  })

  test('held, a minute later, doubling to an hour', () => {
    const waits: number[] = []
    let next = lease(9)
    for (let probe = 0; probe < 9; probe++) {
      const { readyAt, failures, blocked } = endingOf(next, { is: 'held', reason: 'segment_401' }, now, chance(0))
      waits.push((readyAt - now) / minute)
      next = lease(failures, blocked)
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  test('a probe that met an outage leaves the lane blocked, at its place in the doubling', () => {
    for (const afterMs of [undefined, 1_000]) {
      const pause: Pause = { is: 'later', reason: 'segment_503', ...(afterMs ? { afterMs } : {}) }
      const ending = endingOf(lease(3, 'segment_401'), pause, now, chance(0))
      assert.deepEqual(ending, {
        readyAt: now + 8 * minute,
        failures: 4,
        tried: { at: now, lastError: 'segment_503' },
        blocked: 'segment_401',
        ...(afterMs ? { retryAfterAt: now + afterMs } : {}),
      })
    }
  })

  test('a probe that made no request leaves the lane blocked, and the next entry is the probe', () => {
    assert.deepEqual(unprobed(lease(3, 'segment_401'), now), { readyAt: now, failures: 3, blocked: 'segment_401' })
  })
})
