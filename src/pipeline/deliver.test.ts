import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Packed } from '../segment/batch.ts'
import type { Verdict } from '../segment/verdict.ts'
import { deliver } from './deliver.ts'

const refused: Verdict = { is: 'refused', reason: 'segment_400' }
const done: Verdict = { is: 'done' }

function run(size: number): Packed[] {
  return Array.from({ length: size }, (_, id) => ({ id, whose: '1', text: `${id}`, bytes: 1 }))
}

/** A Segment that refuses whatever holds one of these, and keeps what it took in order. */
function segment(poison: readonly number[]) {
  const taken: number[] = []
  let requests = 0
  const attempt = async (part: readonly Packed[]) => {
    requests++
    if (part.some(({ id }) => poison.includes(id))) return refused
    taken.push(...part.map(({ id }) => id))
    return done
  }
  return { attempt, taken, requests: () => requests }
}

function dead(ids: readonly number[]) {
  return ids.map((id) => ({ id, reason: 'segment_400' }))
}

describe('finding what Segment does not like', () => {
  for (const size of [2, 3, 7, 16, 33]) {
    test(`one bad message among ${size}, wherever it is: it alone is dead, the others go once and in order`, async () => {
      for (let bad = 0; bad < size; bad++) {
        const { attempt, taken, requests } = segment([bad])
        const result = await deliver(run(size), attempt, false)
        const others = run(size).flatMap(({ id }) => (id === bad ? [] : [id]))
        assert.deepEqual(result, { delivered: others, dead: dead([bad]) })
        assert.deepEqual(taken, others)
        assert.ok(requests() <= 2 * Math.ceil(Math.log2(size)) + 1, `${requests()} requests for ${size}`)
      }
    })
  }

  test('several bad messages, side by side and apart', async () => {
    for (const poison of [
      [0, 1],
      [0, 9],
      [4, 5, 6],
      [1, 3, 5, 7, 9],
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]) {
      const { attempt, taken } = segment(poison)
      const result = await deliver(run(10), attempt, false)
      const others = run(10).flatMap(({ id }) => (poison.includes(id) ? [] : [id]))
      assert.deepEqual(result, { delivered: others, dead: dead(poison) })
      assert.deepEqual(taken, others)
    }
  })

  test('every single one refused: the account is held and nothing is dead', async () => {
    for (const size of [2, 5, 500]) {
      const { attempt } = segment(run(size).map(({ id }) => id))
      assert.deepEqual(await deliver(run(size), attempt, false), {
        delivered: [],
        dead: [],
        stopped: { is: 'held', reason: 'segment_refuses_all' },
      })
    }
  })

  test('one alone refused is dead, unless it is a probe', async () => {
    const { attempt } = segment([0])
    assert.deepEqual(await deliver(run(1), attempt, false), { delivered: [], dead: dead([0]) })
    const probe = await deliver(run(1), attempt, true)
    assert.deepEqual(probe, { delivered: [], dead: [], stopped: { is: 'held', reason: 'segment_refuses_all' } })
  })
})

describe('an answer that stops', () => {
  const stops: Verdict[] = [
    { is: 'later', reason: 'segment_503', afterMs: 5_000 },
    { is: 'held', reason: 'segment_401' },
  ]
  for (const stop of stops) {
    test(`${stop.is}: nothing more is asked, what was taken stays taken`, async () => {
      const asked: number[][] = []
      const answers = [refused, done, stop]
      const attempt = async (part: readonly Packed[]) => {
        asked.push(part.map(({ id }) => id))
        return answers.shift()!
      }
      const result = await deliver(run(4), attempt, false)
      assert.deepEqual(asked, [
        [0, 1, 2, 3],
        [0, 1],
        [2, 3],
      ])
      assert.deepEqual(result, { delivered: [0, 1], dead: [], stopped: stop })
    })

    test(`${stop.is} before anything was taken: what was refused alone is not dead yet`, async () => {
      const answers = [refused, refused, stop]
      const result = await deliver(run(2), async () => answers.shift()!, false)
      assert.deepEqual(result, { delivered: [], dead: [], stopped: stop })
    })

    test(`${stop.is} after something was taken: what was refused alone is dead`, async () => {
      const answers = [refused, refused, refused, done, stop]
      const result = await deliver(run(4), async () => answers.shift()!, false)
      assert.deepEqual(result, { delivered: [1], dead: dead([0]), stopped: stop })
    })
  }
})
