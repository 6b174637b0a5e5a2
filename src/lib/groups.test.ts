import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually, manualClock, withRestsEnding } from '../../test/clock.ts'
import type { Clock } from './clock.ts'
import { inGroups } from './groups.ts'

/** Groups whose work a test ends, each after as long as it likes. */
function startGroups(most = 10, clocked: (clock: Clock) => Clock = (clock) => clock) {
  const clock = manualClock()
  const begun: { items: number[]; end(error?: Error): void }[] = []
  const groups = inGroups<number, string>({
    clock: clocked(clock),
    fits: (group) => group.length < most,
    work(items) {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>()
      begun.push({ items, end: (error) => (error ? reject(error) : resolve(items.map(String))) })
      return promise
    },
  })
  const add = (...items: number[]) => Promise.all(items.map((item) => groups.add(item)))
  /** Resolves when the group has begun, without the clock. */
  const beginning = (nth: number) => eventually(() => begun[nth - 1] !== undefined)
  /** Ends a group that took so long. */
  const end = async (nth: number, tookMs: number) => {
    await beginning(nth)
    clock.advance(tookMs)
    begun[nth - 1]!.end()
  }
  return { clock, begun, groups, add, beginning, end }
}

describe('a group', () => {
  test('has all that came together, and each item has its own result', async () => {
    const { begun, add, end } = startGroups()
    const results = add(1, 2, 3)
    await end(1, 0)
    assert.deepEqual([begun.map(({ items }) => items), await results], [[[1, 2, 3]], ['1', '2', '3']])
  })

  test('has all that came while the one before was worked on', async () => {
    const { begun, add, beginning, end } = startGroups()
    const first = add(1)
    await beginning(1)
    const rest = Promise.all([add(2), add(3, 4)])
    await end(1, 0)
    await first
    await end(2, 0)
    await rest
    assert.deepEqual(
      begun.map(({ items }) => items),
      [[1], [2, 3, 4]],
    )
  })

  test('that is full is followed by another', async () => {
    const { begun, add, end } = startGroups(2)
    const all = add(1, 2, 3)
    await end(1, 0)
    await end(2, 0)
    assert.deepEqual(
      [begun.map(({ items }) => items), await all],
      [
        [[1, 2], [3]],
        ['1', '2', '3'],
      ],
    )
  })

  test('begins when the one before has rested as long as it took', async () => {
    const { clock, begun, add, beginning, end } = startGroups()
    const first = add(1)
    await end(1, 8)
    await first
    add(2)
    await eventually(() => clock.untilNext() === 8)
    clock.advance(7)
    await new Promise(setImmediate)
    assert.equal(begun.length, 1)
    add(3)
    clock.advance(1)
    await beginning(2)
    assert.deepEqual(begun[1]!.items, [2, 3])
  })

  for (const { tookMs, restMs } of [
    { tookMs: 15, restMs: 5 },
    { tookMs: 300, restMs: undefined },
  ]) {
    test(`begins 20 ms after the one before at the latest, where that took ${tookMs} ms and has ended`, async () => {
      const { clock, add, beginning, end } = startGroups()
      const first = add(1)
      await end(1, tookMs)
      await first
      add(2)
      if (restMs === undefined) await beginning(2)
      else await eventually(() => clock.untilNext() === restMs)
    })
  }

  test('begins at once where nothing came for as long as the one before took', async () => {
    const { clock, add, beginning, end } = startGroups()
    const first = add(1)
    await end(1, 8)
    await first
    clock.advance(8)
    add(2)
    await beginning(2)
    assert.equal(clock.untilNext(), undefined)
  })

  test('begins while a test’s clock stands, where that service’s rests end in real time as well', async () => {
    const { clock, add, beginning, end } = startGroups(10, withRestsEnding)
    const first = add(1)
    await end(1, 8)
    await first
    add(2)
    await beginning(2)
    assert.equal(clock.untilNext(), undefined)
  })

  test('that fails is said to each of its items, and the next one is worked on', async () => {
    const { begun, add, beginning, end } = startGroups()
    const failed = [add(1), add(2)]
    await beginning(1)
    const next = add(3)
    begun[0]!.end(new Error('the store is away'))
    for (const each of failed) await assert.rejects(each, /the store is away/)
    await end(2, 0)
    assert.deepEqual(await next, ['3'])
  })
})
