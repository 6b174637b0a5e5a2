import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { manualClock } from '../../test/clock.ts'
import { openBell } from '../lib/bell.ts'
import type { Packed } from '../segment/batch.ts'
import { flights } from './flights.ts'

const limits = { room: { messages: 3, bytes: 1_000 }, atOnceMax: 2, partialEveryMs: 5 }

function message(id: number, whose: string): Packed {
  return { id, whose, text: '{}', bytes: 2 }
}

function messages(from: number, to: number): Packed[] {
  return Array.from({ length: to - from + 1 }, (_, at) => message(from + at, `${from + at}`))
}

/** Requests that end when the test says so. */
function held(options = limits) {
  const clock = manualClock()
  const runs: { ids: number[]; end: () => void; fail: (error: Error) => void }[] = []
  const sending = flights({ ...options, clock, bell: openBell(clock) }, (run) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    runs.push({ ids: run.map(({ id }) => id), end: resolve, fail: reject })
    return promise
  })
  const turn = () => new Promise(setImmediate)
  return { clock, runs, ids: () => runs.map((run) => run.ids), sending, turn }
}

describe('several requests of one lease at once', () => {
  test('full ones start at once, so many as may; what fills none waits while more comes', async () => {
    const { runs, ids, sending, turn } = held()
    sending.add(messages(0, 3), true)
    assert.deepEqual(ids(), [[0, 1, 2]])
    sending.add(messages(4, 9))
    const two = [
      [0, 1, 2],
      [3, 4, 5],
    ]
    assert.deepEqual([ids(), sending.restMs()], [two, Number.POSITIVE_INFINITY])
    runs[0]!.end()
    await turn()
    assert.deepEqual(ids()[2], [6, 7, 8])
    runs[1]!.end()
    await turn()
    assert.deepEqual(ids()[3], [9])
    for (const { end } of runs) end()
    await turn()
    assert.ok(sending.isIdle())
  })

  test('those that are not full start at most every five milliseconds, and full ones in between', async () => {
    const { clock, ids, sending } = held({ ...limits, atOnceMax: 9 })
    sending.add(messages(0, 0))
    sending.add(messages(1, 1))
    assert.deepEqual([ids(), sending.restMs()], [[[0]], 5])
    clock.advance(4)
    sending.add(messages(2, 4))
    assert.deepEqual(ids(), [[0], [1, 2, 3]])
    clock.advance(1)
    assert.deepEqual(ids(), [[0], [1, 2, 3], [4]])
    clock.advance(5)
    sending.add(messages(5, 5))
    assert.deepEqual(ids()[3], [5], 'at once after a rest')
  })

  test('one contact is never in two of them, and its order is kept, whatever ends when', async () => {
    const contacts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(contacts, fc.scheduler(), async (whose, scheduler) => {
        const underWay = new Set<string>()
        const sent: Packed[] = []
        const clock = manualClock()
        const sending = flights({ ...limits, partialEveryMs: 0, clock, bell: openBell(clock) }, async (run) => {
          const theirs = new Set(run.map((one) => one.whose))
          for (const one of theirs) assert.ok(!underWay.has(one), `${one} is under way already`)
          for (const one of theirs) underWay.add(one)
          sent.push(...run)
          await scheduler.schedule(Promise.resolve())
          for (const one of theirs) underWay.delete(one)
        })
        const all = whose.map((one, id) => message(id, one))
        for (let at = 0; at < all.length; at += 7) sending.add(all.slice(at, at + 7), at % 2 === 0)
        await scheduler.waitFor(sending.finish())
        assert.equal(sent.length, all.length)
        for (const one of 'abcd') {
          const ids = sent.filter((packed) => packed.whose === one).map(({ id }) => id)
          assert.deepEqual(
            ids,
            [...ids].sort((first, second) => first - second),
          )
        }
      }),
    )
  })

  test('once stopped, nothing more starts, and what is under way is waited for', async () => {
    const { clock, runs, sending, turn } = held()
    sending.add(messages(0, 19))
    sending.stop()
    sending.add(messages(20, 29))
    clock.advance(1_000)
    let finished = false
    const finishing = sending.finish().then(() => {
      finished = true
    })
    runs[0]!.end()
    await turn()
    assert.deepEqual([runs.length, finished], [2, false])
    runs[1]!.end()
    await finishing
  })

  test('one that throws stops the others, and says so when they have ended', async () => {
    const { runs, sending, turn } = held()
    sending.add(messages(0, 19))
    const finishing = assert.rejects(sending.finish(), /the store is away/)
    runs[0]!.fail(new Error('the store is away'))
    await turn()
    runs[1]!.end()
    await finishing
    assert.equal(runs.length, 2)
  })
})
