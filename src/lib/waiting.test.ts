/** Time and chance: backoff, Retry-After, pauses, ids. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { backoffMs, backoffMsMax, retryAfterMs } from './backoff.ts'
import { delayMsMax, pause, systemClock } from './clock.ts'
import { systemRandom, timeOrderedId } from './random.ts'

describe('the backoff', () => {
  const highest = { ...systemRandom, fraction: () => 1 - 2 ** -32 }
  const lowest = { ...systemRandom, fraction: () => 0 }

  test('doubles from a second, half of it left to chance, and stops growing at fifteen minutes', () => {
    assert.deepEqual(
      [1, 2, 3, 11, 5_000].map((n) => backoffMs(n, highest)),
      [1_000, 2_000, 4_000, backoffMsMax, backoffMsMax],
    )
    assert.deepEqual(
      [1, 2, 3, 11, 5_000].map((n) => backoffMs(n, lowest)),
      [500, 1_000, 2_000, backoffMsMax / 2, backoffMsMax / 2],
    )
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1)
  const cases: [header: string | undefined, expected: number | undefined][] = [
    [undefined, undefined],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 1_000],
    ['1000000000', 3_600_000],
    ['1e9', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [new Date(now + 90_000).toUTCString(), 90_000],
    [new Date(now - 90_000).toUTCString(), 1_000],
    [new Date(now + 90_000_000).toUTCString(), 3_600_000],
  ]
  for (const [header, expected] of cases) {
    test(`${header}`, () => assert.equal(retryAfterMs(header, now), expected))
  }
})

describe('the clock', () => {
  test('shortens a delay that a timer cannot hold, instead of firing at once', async () => {
    let fired = false
    const cancel = systemClock.after(delayMsMax * 4, () => {
      fired = true
    })
    await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)))
    cancel()
    assert.equal(fired, false)
  })

  test('a pause ends at once when its signal is given', async () => {
    const stop = new AbortController()
    const paused = pause(systemClock, 3_600_000, stop.signal)
    stop.abort()
    await paused
    await pause(systemClock, 3_600_000, stop.signal)
  })
})

test('ids grow with time, are all different, and fit where an id must fit', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.nat(1_000_000), (seconds, laterMs) => {
      const now = seconds * 1_000
      const [one, other] = [timeOrderedId(systemRandom, now), timeOrderedId(systemRandom, now + laterMs + 1)]
      assert.ok(Buffer.from(one, 'base64url').compare(Buffer.from(other, 'base64url')) < 0)
      assert.ok(one.length <= 40)
    }),
  )
  assert.equal(new Set(Array.from({ length: 10_000 }, () => timeOrderedId(systemRandom, 1))).size, 10_000)
})

test('random bytes come as many as asked for, and no two alike', () => {
  for (const count of [0, 1, 12, 255, 256, 257, 5_000]) assert.equal(systemRandom.bytes(count).length, count)
  const seen = new Set(Array.from({ length: 5_000 }, () => systemRandom.bytes(12).toString('hex')))
  assert.equal(seen.size, 5_000)
})
