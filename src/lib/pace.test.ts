import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, manualClock, whileWaiting } from '../../test/clock.ts'
import { openPace, type PaceState } from './pace.ts'

const limits = { atOnceMax: 2, everyMs: 200 }

/** When each of some began, in milliseconds from the start; each ends at once. */
async function begun(count: number, pace: ReturnType<typeof openPace>, clock: ReturnType<typeof manualClock>) {
  const start = clock.monotonic()
  const times: number[] = []
  for (let nth = 0; nth < count; nth++) {
    const end = await whileWaiting(clock, pace.begin())
    times.push(clock.monotonic() - start)
    end()
  }
  return times
}

test('one begins no sooner than so long after the one before, the first one too', async () => {
  const clock = manualClock()
  assert.deepEqual(await begun(3, openPace({ clock, limits }), clock), [200, 400, 600])
})

test('no more are under way at once than may be, however long they take', async () => {
  const clock = manualClock()
  const pace = openPace({ clock, limits })
  const first = await whileWaiting(clock, pace.begin())
  await whileWaiting(clock, pace.begin())
  let isThird = false
  const third = pace.begin().then(() => (isThird = true))
  clock.advance(10_000)
  await new Promise(setImmediate)
  assert.equal(isThird, false)
  first()
  first()
  assert.equal(await whileWaiting(clock, third), true)
})

test('refused, it goes half as often and rests as long as was asked for; minute by minute it is as quick as before', async () => {
  const clock = manualClock()
  const pace = openPace({ clock, limits })
  pace.refused(5_000)
  pace.refused(5_000)
  assert.equal(pace.everyMs(), 400)
  assert.deepEqual(await begun(2, pace, clock), [5_000, 5_400])
  clock.advance(60_000)
  await begun(1, pace, clock)
  assert.equal(pace.everyMs(), 200)
})

test('never becomes slower than a sixteenth', () => {
  const clock = manualClock()
  const pace = openPace({ clock, limits })
  for (let refusals = 0; refusals < 9; refusals++) {
    pace.refused()
    clock.advance(2_000)
  }
  assert.equal(pace.everyMs(), 3_200)
})

test('another process goes on at the speed at which the one before was left', async () => {
  const clock = manualClock()
  const before = openPace({ clock, limits })
  before.refused(3_000)
  const from = JSON.parse(JSON.stringify(before.state())) as PaceState
  assert.deepEqual(await begun(2, openPace({ clock, limits, from }), clock), [3_000, 3_400])
})

test('a caller that waits for its turn is rejected when the pace ends', async () => {
  const clock = manualClock()
  const ending = new AbortController()
  const pace = openPace({ clock, limits, signal: ending.signal })
  const waits = pace.begin()
  let why: unknown
  waits.catch((error: unknown) => (why = error))
  ending.abort(new Error('stopped'))
  await eventually(() => why !== undefined)
  assert.equal((why as Error).message, 'stopped')
})
