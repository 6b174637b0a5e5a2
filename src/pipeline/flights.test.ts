import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Packed } from '../segment/batch.ts'
import { flights } from './flights.ts'

const limits = { room: { messages: 3, bytes: 1_000 }, atOnceMax: 2 }

function message(id: number, whose: string): Packed {
  return { id, whose, text: '{}', bytes: 2 }
}

/** Requests that end when the test says so. */
function held() {
  const runs: { ids: number[]; end: () => void; fail: (error: Error) => void; isLast: () => boolean }[] = []
  const sending = flights(limits, (run, isLast) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    runs.push({ ids: run.map(({ id }) => id), end: resolve, fail: reject, isLast })
    return promise
  })
  const turn = () => new Promise(setImmediate)
  return { runs, sending, turn }
}

describe('several requests of one lease at once', () => {
  test('whole ones start at once, so many as may; what fills none waits for more, or for the end', async () => {
    const { runs, sending, turn } = held()
    const ids = () => runs.map((run) => run.ids)
    sending.add([0, 1, 2, 3].map((id) => message(id, `${id}`)))
    assert.deepEqual(ids(), [[0, 1, 2]])
    sending.add([4, 5, 6, 7, 8, 9].map((id) => message(id, `${id}`)))
    assert.deepEqual(ids(), [
      [0, 1, 2],
      [3, 4, 5],
    ])
    const finished = sending.finish()
    runs[0]!.end()
    await turn()
    assert.deepEqual(ids()[2], [6, 7, 8])
    runs[1]!.end()
    await turn()
    assert.deepEqual(ids()[3], [9])
    runs[2]!.end()
    await turn()
    assert.deepEqual([runs.length, runs[3]!.isLast()], [4, true], 'nothing else is under way, and nothing waits')
    runs[3]!.end()
    await finished
  })

  test('one contact is never in two of them, and its order is kept, whatever ends when', async () => {
    const contacts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(contacts, fc.scheduler(), async (whose, scheduler) => {
        const underWay = new Set<string>()
        const sent: Packed[] = []
        const sending = flights(limits, async (run) => {
          const theirs = new Set(run.map((one) => one.whose))
          for (const one of theirs) assert.ok(!underWay.has(one), `${one} is under way already`)
          for (const one of theirs) underWay.add(one)
          sent.push(...run)
          await scheduler.schedule(Promise.resolve())
          for (const one of theirs) underWay.delete(one)
        })
        const all = whose.map((one, id) => message(id, one))
        for (let at = 0; at < all.length; at += 7) sending.add(all.slice(at, at + 7))
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
    const { runs, sending, turn } = held()
    sending.add(Array.from({ length: 20 }, (_, id) => message(id, `${id}`)))
    sending.stop()
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
    sending.add(Array.from({ length: 20 }, (_, id) => message(id, `${id}`)))
    const finishing = assert.rejects(sending.finish(), /the store is away/)
    runs[0]!.fail(new Error('the store is away'))
    await turn()
    runs[1]!.end()
    await finishing
    assert.equal(runs.length, 2)
  })
})
