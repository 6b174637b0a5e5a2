/** Home's numbers: where the events of a time are, what waits, what went wrong, as one snapshot says it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { LaneShown, Open, Snapshot, TimeBucket } from '../../storage/ports/lookup.ts'
import {
  backlogOf,
  deliveryTime,
  type Pipeline,
  pipelineOf,
  problemsOf,
  receivedOf,
  requestsIn,
  successRate,
  wrongSince,
} from './figures.ts'

const now = Date.UTC(2026, 10, 24, 12)
const minute = 60_000
const empty: Snapshot = {
  destinations: [1],
  totals: [],
  backlog: [],
  timeBuckets: [],
  open: [],
  deliveries: [],
  lastDelivered: [],
  began: [],
}
const bucket = (outcome: TimeBucket['outcome'], count: number, more: Partial<TimeBucket> = {}): TimeBucket => ({
  at: now - minute,
  destination: outcome === 'delivered' ? 1 : 0,
  type: 'a',
  outcome,
  count,
  ...more,
})
const backlogRow = (more: Partial<Snapshot['backlog'][number]>): Snapshot['backlog'][number] => ({
  org: '7',
  destination: 1,
  state: 'waiting',
  count: 1,
  oldestReceivedAt: now - minute,
  ...more,
})
const cameOf = ({ received, broughtIn }: Pipeline) => received + broughtIn
const sumOf = ({ received: _r, broughtIn: _b, ...parts }: Pipeline) =>
  Object.values(parts).reduce((sum, count) => sum + count, 0)

describe('the pipeline of a time', () => {
  test('says of every event received where it is now, also of what was ignored on arrival', () => {
    const timeBuckets = [
      bucket('received', 10),
      bucket('delivered', 4),
      bucket('ignored', 3, { reason: 'switched_off' }),
      bucket('ignored', 1, { reason: 'empty', destination: 1 }),
      bucket('duplicate', 9),
    ]
    const open: Open[] = [
      { destination: 1, state: 'waiting', count: 2 },
      { destination: 1, state: 'dead', reason: 'segment_400', count: 1 },
      { destination: 0, state: 'quarantined', reason: 'shape_unknown', count: 1 },
      { destination: 0, state: 'quarantined', reason: 'gdpr_delete_requested', count: 1 },
    ]
    assert.deepEqual(pipelineOf({ ...empty, timeBuckets, open }, [], true), {
      received: 13,
      broughtIn: 0,
      ignored: 4,
      queued: 2,
      blocked: 0,
      notRecognized: 1,
      deletion: 1,
      failed: 1,
      expired: 0,
      notGiven: 0,
      delivered: 4,
    })
  })

  test('calls blocked what a refused lane keeps, and queued what one that fails or asks does', () => {
    const open: Open[] = [
      { destination: 1, state: 'waiting', count: 2 },
      { destination: 0, state: 'asking', reason: 'conversation_missing', count: 3 },
    ]
    const of = (lanes: Partial<LaneShown>[]) => {
      const { queued, blocked } = pipelineOf(
        { ...empty, timeBuckets: [bucket('received', 5)], open },
        lanes as LaneShown[],
        true,
      )
      return { queued, blocked }
    }
    assert.deepEqual(of([]), { queued: 5, blocked: 0 })
    assert.deepEqual(of([{ lane: 'send', destination: 1, failures: 3, lastError: 'segment_503' }]), {
      queued: 5,
      blocked: 0,
    })
    assert.deepEqual(of([{ lane: 'send', destination: 1, blocked: 'segment_401' }]), { queued: 3, blocked: 2 })
    assert.deepEqual(of([{ lane: 'ask', destination: 0, blocked: 'grant_dead' }]), { queued: 2, blocked: 3 })
    assert.deepEqual(
      of([
        { lane: 'send', destination: 1, hold: 'paused' },
        { lane: 'ask', destination: 0, hold: 'paused' },
      ]),
      { queued: 0, blocked: 5 },
    )
  })

  test('calls queued what is neither known otherwise nor counted, where more wait than are counted', () => {
    const timeBuckets = [bucket('received', 100), bucket('delivered', 30)]
    const open: Open[] = [
      { destination: 1, state: 'waiting', count: 50, isCut: true },
      { destination: 1, state: 'dead', count: 2 },
    ]
    const of = (endsNow: boolean) => pipelineOf({ ...empty, timeBuckets, open }, [], endsNow)
    assert.deepEqual([of(true).queued, of(true).delivered, of(true).failed], [98, 0, 2])
    assert.deepEqual([of(false).queued, of(false).delivered, of(false).expired], [68, 30, 0])
  })

  test('counts as expired what is neither there nor was delivered, as after erasing a person', () => {
    const timeBuckets = [bucket('received', 5), bucket('delivered', 3)]
    const { delivered, expired } = pipelineOf({ ...empty, timeBuckets }, [], true)
    assert.deepEqual({ delivered, expired }, { delivered: 3, expired: 2 })
  })

  test('counts what was brought in apart from what was received, and says where it is too', () => {
    const timeBuckets = [bucket('received', 5), bucket('backfilled', 438), bucket('delivered', 442)]
    const open: Open[] = [{ destination: 1, state: 'waiting', count: 1 }]
    const { received, broughtIn, delivered, queued } = pipelineOf({ ...empty, timeBuckets, open }, [], true)
    assert.deepEqual(
      { received, broughtIn, delivered, queued },
      { received: 5, broughtIn: 438, delivered: 442, queued: 1 },
    )
    assert.equal(receivedOf(timeBuckets, { from: now - 60 * minute, to: now }, minute).total, 5)
  })

  test('of the past counts as delivered what was delivered after it', () => {
    assert.equal(pipelineOf({ ...empty, timeBuckets: [bucket('received', 5)] }, [], false).delivered, 5)
  })

  test('is not changed by what was delivered again, or by another destination', () => {
    const timeBuckets = [bucket('received', 2), bucket('delivered', 7), bucket('delivered', 2, { destination: 2 })]
    const { received, delivered } = pipelineOf({ ...empty, timeBuckets }, [], true)
    assert.deepEqual({ received, delivered }, { received: 2, delivered: 2 })
  })

  test('at a destination that was added since, says what it never had, and calls none of that delivered or expired', () => {
    const timeBuckets = [bucket('received', 9), bucket('delivered', 9), bucket('delivered', 3, { destination: 2 })]
    const open: Open[] = [{ destination: 2, state: 'waiting', count: 1 }]
    const began = [{ destination: 2, at: now - 5 * minute }]
    const at = (from: number, endsNow: boolean) => {
      const pipeline = pipelineOf({ ...empty, timeBuckets, open, began, destinations: [1, 2] }, [], endsNow, {
        main: 2,
        from,
      })
      assert.equal(sumOf(pipeline), cameOf(pipeline))
      const { delivered, queued, expired, notGiven } = pipeline
      return { delivered, queued, expired, notGiven }
    }
    assert.deepEqual(at(now - 60 * minute, true), { delivered: 3, queued: 1, expired: 0, notGiven: 5 })
    assert.deepEqual(at(now - 60 * minute, false), { delivered: 3, queued: 1, expired: 0, notGiven: 5 })
    assert.deepEqual(at(now - 2 * minute, false), { delivered: 8, queued: 1, expired: 0, notGiven: 0 })
  })

  test('adds up, whatever the store says', () => {
    const states = ['waiting', 'asking', 'unclaimed', 'quarantined', 'dead'] as const
    const outcomes = ['received', 'backfilled', 'delivered', 'failed', 'ignored', 'duplicate'] as const
    const count = fc.integer({ min: 0, max: 1_000 })
    const destination = fc.integer({ min: 0, max: 2 })
    const timeBuckets = fc.array(fc.tuple(fc.constantFrom(...outcomes), destination, count))
    const open = fc.array(fc.record({ destination, state: fc.constantFrom(...states), count }))
    fc.assert(
      fc.property(timeBuckets, open, fc.boolean(), (some, others, endsNow) => {
        const all = some.map(([outcome, of, many]) => bucket(outcome, many, { destination: of }))
        const pipeline = pipelineOf({ ...empty, timeBuckets: all, open: others }, [], endsNow)
        assert.equal(sumOf(pipeline), cameOf(pipeline))
        assert.ok(Object.values(pipeline).every((part) => part >= 0))
        const received = receivedOf(all, { from: now - 60 * minute, to: now }, minute)
        assert.equal(received.total, pipeline.received)
      }),
    )
  })
})

test('the chart counts each event once, by type and step, most first', () => {
  const timeBuckets = [
    bucket('received', 2, { at: now - 60 * minute }),
    bucket('received', 3),
    bucket('received', 9, { type: 'b' }),
    bucket('ignored', 1, { type: '', reason: 'unknown_type' }),
    bucket('delivered', 5),
  ]
  const { series, total, steps } = receivedOf(timeBuckets, { from: now - 60 * minute, to: now }, minute)
  assert.deepEqual([total, steps, series.map(({ type, sum }) => `${type} ${sum}`)], [15, 60, ['b 9', 'a 5', ' 1']])
  const [, a] = series
  assert.deepEqual([a!.counts[0], a!.counts[59]], [2, 3])
})

test('what waits is counted by what keeps it, with the oldest to be sent and the oldest to be looked up', () => {
  const backlog = [
    backlogRow({ count: 4, oldestReceivedAt: now - 9 * minute }),
    backlogRow({ count: 2, reason: 'segment_401', oldestReceivedAt: now - 7 * minute }),
    backlogRow({ count: 90, destination: 2 }),
    backlogRow({ destination: 0, state: 'asking', count: 1, oldestReceivedAt: now - 5 * minute }),
    backlogRow({
      destination: 0,
      state: 'asking',
      count: 3,
      reason: 'conversation_missing',
      oldestReceivedAt: now - 6 * minute,
    }),
    backlogRow({ destination: 0, state: 'asking', count: 5, reason: 'grant_dead' }),
    backlogRow({ state: 'dead', reason: 'segment_400', count: 50 }),
  ]
  assert.deepEqual(backlogOf({ ...empty, backlog }), {
    queued: 4,
    blocked: 7,
    lookingUp: 4,
    oldestAt: now - 9 * minute,
    oldestLookupAt: now - 6 * minute,
  })
})

describe('what went wrong', () => {
  const backlog = [
    backlogRow({ state: 'dead', reason: 'segment_400', count: 2, newestReceivedAt: now - 5 * minute }),
    backlogRow({ state: 'dead', reason: 'segment_413', count: 7, newestReceivedAt: now - 90 * minute }),
    backlogRow({ destination: 0, state: 'quarantined', reason: 'shape_unknown', count: 1, newestReceivedAt: now }),
    backlogRow({
      destination: 0,
      state: 'quarantined',
      reason: 'gdpr_delete_requested',
      count: 3,
      newestReceivedAt: now,
    }),
    backlogRow({ reason: 'segment_401', count: 40 }),
    backlogRow({ count: 99 }),
  ]
  test('is grouped by reason, most first; requests for deletion are counted apart', () => {
    const groups = problemsOf({ ...empty, backlog }).map(({ word, reason, count }) => `${count} ${word} ${reason}`)
    assert.deepEqual(groups, [
      '40 blocked segment_401',
      '7 failed segment_413',
      '2 failed segment_400',
      '1 notRecognized shape_unknown',
    ])
    assert.equal(requestsIn({ backlog }), 3)
  })

  test('asks for action for as long as one of a reason is young, and where something can be done', () => {
    assert.deepEqual(wrongSince({ ...empty, backlog }, now - 60 * minute), { failed: 2, notRecognized: 1 })
    assert.deepEqual(
      wrongSince(
        {
          ...empty,
          backlog: [
            ...backlog,
            backlogRow({ state: 'dead', reason: 'crashes', count: 4, newestReceivedAt: now - 90 * minute }),
          ],
        },
        now - 120 * minute,
      ),
      { failed: 6, notRecognized: 1 },
    )
  })
})

test('the success rate is of what has ended, and unknown while nothing has', () => {
  assert.equal(successRate({ delivered: 0, failed: 0, notRecognized: 0 }), undefined)
  assert.equal(successRate({ delivered: 3, failed: 1, notRecognized: 0 }), 0.75)
})

test('the time to delivery is one that so many of the deliveries kept to, and never less than none', () => {
  const delivery = (ms: number, destination = 1) => ({ destination, receivedAt: now, settledAt: now + ms })
  const some = [5, 1, 3, 2, 4, 10, 6, 8, 7, 9].map((ms) => delivery(ms))
  const of = (deliveries: Snapshot['deliveries'], share: number, main?: number) =>
    deliveryTime({ destinations: [1, 2], deliveries }, share, main)
  assert.deepEqual([of(some, 0.5), of(some, 0.95)], [5, 10])
  assert.equal(of([delivery(-3)], 0.5), 0)
  assert.equal(of([], 0.5), undefined)
  assert.deepEqual([of([...some, delivery(99, 2)], 0.95), of([...some, delivery(99, 2)], 0.5, 2)], [10, 99])
})
