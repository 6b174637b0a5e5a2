import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TimeBucket, Total } from '../../storage/ports/lookup.ts'
import { disabledBy, notSentIn, notSentPage } from './not-sent.ts'

const dayMs = 24 * 3_600_000
const now = Date.UTC(2026, 10, 24, 12)
const total = (more: Partial<Total>): Total => ({
  org: '7',
  destination: 0,
  type: 'a',
  outcome: 'ignored',
  reason: 'empty',
  count: 1,
  ...more,
})
const bucket = (more: Partial<TimeBucket>): TimeBucket => ({
  at: now,
  destination: 0,
  type: 'a',
  outcome: 'ignored',
  reason: 'empty',
  count: 1,
  ...more,
})

describe('what was not sent', () => {
  test('is counted by type and reason, since the beginning and for each of the last seven days', () => {
    const totals = [total({ count: 9 }), total({ reason: 'switched_off', count: 3 }), total({ type: 'b' })]
    const timeBuckets = [
      bucket({ count: 2 }),
      bucket({ at: now - 6 * dayMs, count: 4 }),
      bucket({ at: now - 6 * dayMs - 12 * 3_600_000, count: 1 }),
      bucket({ at: now - 7 * dayMs, count: 100 }),
      bucket({ at: now - dayMs, reason: 'switched_off', count: 3 }),
    ]
    assert.deepEqual(notSentIn({ totals, timeBuckets }, now), [
      { type: 'a', why: 'empty', all: 9, perDay: [5, 0, 0, 0, 0, 0, 2], lastAt: now },
      { type: 'a', why: 'switched_off', all: 3, perDay: [0, 0, 0, 0, 0, 3, 0], lastAt: now - dayMs },
      { type: 'b', why: 'empty', all: 1, perDay: [0, 0, 0, 0, 0, 0, 0] },
    ])
  })

  test('duplicates are among it, and what was sent is not', () => {
    const { reason: _, ...without } = total({})
    const totals: Total[] = [
      { ...without, outcome: 'duplicate', count: 5 },
      { ...without, outcome: 'received', count: 7 },
      { ...without, outcome: 'delivered', count: 7 },
      { ...without, outcome: 'expired', count: 1 },
    ]
    assert.deepEqual(
      notSentIn({ totals, timeBuckets: [] }, now).map(({ why, all }) => [why, all]),
      [['duplicate', 5]],
    )
  })
})

describe('since when a type is disabled', () => {
  const choice = (at: number, who: string, ...off: string[]) => ({
    at,
    org: '7',
    who,
    what: 'chose the events',
    about: off.length === 0 ? 'all of them are sent' : `not sent: ${off.join(', ')}`,
  })

  test('is the time of the oldest of the last choices that all left it out, and by whom', () => {
    const choices = [choice(40, 'd', 'a', 'b'), choice(30, 'c', 'a'), choice(20, 'b'), choice(10, 'a', 'a', 'b')]
    assert.deepEqual(
      [...disabledBy(choices, ['a', 'b', 'never chosen'])],
      [
        ['a', { at: 30, who: 'c' }],
        ['b', { at: 40, who: 'd' }],
      ],
    )
  })

  test('is not known where the audit begins later', () => {
    assert.deepEqual([...disabledBy([], ['a'])], [])
  })
})

test('below disabled events the page does not say that nothing was left out', () => {
  const look = (offTypes: string[]) =>
    String(
      notSentPage({
        session: { org: '7', who: 'admin', csrf: '', provenAt: 0 },
        now,
        install: {
          org: '7',
          state: 'live',
          settings: JSON.stringify({ offTypes }),
          createdAt: 0,
          updatedAt: 0,
          generation: 1,
        },
        rows: [],
        disabled: new Map(),
      }),
    )
  const off = look(['new_meeting'])
  assert.match(off, /Nothing else was left out<\/strong>Every other event that Drift sent/)
  assert.doesNotMatch(off, /Nothing was left out|>Every event/)
  assert.match(look([]), /Nothing was left out<\/strong>Every event that Drift sent/)
})
