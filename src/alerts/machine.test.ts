import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AlertState, quietMs, step, stepAll } from './machine.ts'
import type { Finding } from './rules.ts'

const minuteMs = 60_000
const found: Finding = { subject: '', is: 'found' }
const lasts: Finding = { subject: '', is: 'lasts' }

type Looks = readonly (readonly [minute: number, finding: Finding | undefined])[]

/** What is said of one subject that is found, or not, at these minutes. */
function changesOf(looks: Looks): string[] {
  let state: AlertState | undefined
  const changes: string[] = []
  for (const [minute, finding] of looks) {
    const stepped = step(state, finding, 1e12 + minute * minuteMs)
    state = stepped.state
    if (stepped.change) changes.push(`${minute} ${stepped.change}`)
  }
  return changes
}

describe('one subject', () => {
  test('that is found for an hour and then is over is announced twice, however often it is looked at', () => {
    const looks = Array.from({ length: 59 }, (_, minute) => [minute, found] as const)
    assert.deepEqual(changesOf([...looks, [59, undefined], [60, undefined]]), ['0 raised', '59 recovered'])
  })

  test('that comes back within the hour is raised again when the hour is over, if it is still so', () => {
    const looks = [
      [0, found],
      [5, undefined],
      [6, found],
      [30, found],
      [59, found],
      [60, found],
      [61, undefined],
    ] as const
    assert.deepEqual(changesOf(looks), ['0 raised', '5 recovered', '60 raised', '61 recovered'])
  })

  test('that comes and goes within the hour is raised once, and what was not raised does not recover', () => {
    const flapping = Array.from({ length: 58 }, (_, at) => [at, at % 2 === 0 ? found : undefined] as const)
    assert.deepEqual(changesOf(flapping), ['0 raised', '1 recovered'])
  })

  test('that comes back after an hour is raised at once', () => {
    assert.deepEqual(
      changesOf([
        [0, found],
        [1, undefined],
        [quietMs / minuteMs, found],
      ]),
      ['0 raised', '1 recovered', '60 raised'],
    )
  })

  test('that must have been found for a while is raised only then, and ends before that without a message', () => {
    const late = { ...found, afterMs: 15 * minuteMs }
    assert.deepEqual(
      changesOf([
        [0, late],
        [14, late],
        [15, late],
        [16, undefined],
      ]),
      ['15 raised', '16 recovered'],
    )
    assert.deepEqual(
      changesOf([
        [0, late],
        [14, undefined],
        [15, late],
        [29, late],
        [30, late],
      ]),
      ['30 raised'],
    )
  })

  test('that lasts does not recover when it was raised, and is not raised when it was not', () => {
    assert.deepEqual(
      changesOf([
        [0, lasts],
        [1, found],
        [2, lasts],
        [3, lasts],
        [4, undefined],
      ]),
      ['1 raised', '4 recovered'],
    )
    assert.deepEqual(
      changesOf([
        [0, { ...found, afterMs: minuteMs }],
        [1, lasts],
        [2, undefined],
      ]),
      [],
    )
  })

  test('with a new mark is raised again, once an hour, and not when a mark has gone', () => {
    const of = (...marks: string[]): Finding => ({ ...found, marks })
    const looks: Looks = [
      [0, of('a')],
      [10, of('a', 'b')],
      [59, of('a', 'b')],
      [60, of('a', 'b')],
      [130, of('b')],
      [131, undefined],
    ]
    assert.deepEqual(changesOf(looks), ['0 raised', '60 raised', '131 recovered'])
  })

  test('that was raised before the clock was set back is raised again, and does not wait for that time', () => {
    assert.deepEqual(
      changesOf([
        [1_000, found],
        [1_001, undefined],
        [0, found],
      ]),
      ['1000 raised', '1001 recovered', '0 raised'],
    )
    const late = { ...found, afterMs: minuteMs }
    assert.deepEqual(
      changesOf([
        [1_000, late],
        [0, late],
        [1, late],
      ]),
      ['1 raised'],
    )
  })

  test('that is long over is forgotten', () => {
    const raised = step(undefined, found, 1e12).state
    const over = step(raised, undefined, 1e12 + 1).state
    assert.equal(step(over, undefined, 1e12 + 1).state?.phase, 'recovered')
    assert.equal(step(over, undefined, 1e12 + quietMs).state, undefined)
  })
})

test('several states at once: each by itself, and those that are found no more recover', () => {
  const failed = (subject: string) => ({ rule: 'failed', finding: { subject, is: 'found' } }) as const
  const first = stepAll({}, [failed('a/b'), failed('c'), { rule: 'silence', finding: found }], 1e12)
  assert.deepEqual(
    first.announcements.map(({ rule, subject, change }) => `${rule} ${subject} ${change}`),
    ['failed a/b raised', 'failed c raised', 'silence  raised'],
  )
  const second = stepAll(first.states, [failed('c')], 1e12 + minuteMs)
  assert.deepEqual(
    second.announcements.map(({ rule, subject, change, since }) => [rule, subject, change, since]),
    [
      ['failed', 'a/b', 'recovered', 1e12],
      ['silence', '', 'recovered', 1e12],
    ],
  )
  assert.deepEqual(stepAll(second.states, [failed('c')], 1e12 + 2 * minuteMs).announcements, [])
})
