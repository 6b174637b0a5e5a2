import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remainingMs } from './start.ts'
import { countSpeed, forgetSpeed, tallyOf } from './tally.ts'

const secondMs = 1_000

test('how fast it goes, and how long it still takes, is judged by the last four pages', () => {
  const tally = tallyOf({ total: 2_000 })
  let lately: Parameters<typeof countSpeed>[1] = [{ at: 0, looked: 0 }]
  let at = 0
  const page = (ms: number) => {
    tally.add('looked', 100)
    at += ms
    lately = countSpeed(tally, lately, at)
    return [tally.counts.read_a_minute, tally.counts.seconds_left]
  }
  assert.deepEqual(page(secondMs), [6_000, 19])
  for (let known = 0; known < 4; known++) page(secondMs)
  assert.deepEqual(page(27 * secondMs), [800, 105])
  for (let slow = 0; slow < 3; slow++) page(30 * secondMs)
  assert.deepEqual(page(30 * secondMs), [200, 300])
  const job = { counts: tally.counts, hasEnded: false } as Parameters<typeof remainingMs>[0]
  assert.equal(remainingMs(job), 300_000)
  assert.equal(remainingMs({ ...job, hasEnded: true }), undefined)
  assert.equal(remainingMs({ ...job, counts: { ...tally.counts, stuck_drift_503: 1 } }), undefined)
  forgetSpeed(tally)
  assert.deepEqual(tally.counts, { total: 2_000, looked: 1_000 })
})

test('how long it still takes is not said where Drift has not said how many there are', () => {
  const tally = tallyOf({ looked: 100 })
  countSpeed(tally, [{ at: 0, looked: 0 }], 30 * secondMs)
  assert.deepEqual(tally.counts, { looked: 100, read_a_minute: 200 })
})
