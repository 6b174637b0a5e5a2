/** When something was last, where the event that says so may be gone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TimeBucket } from '../../storage/ports/lookup.ts'
import { lastDeliveredAt, lastReceivedAt } from './last-times.ts'

const now = Date.UTC(2026, 10, 24, 12)
const minute = 60_000

describe('when something was last', () => {
  const seconds = (ms: number) => now - ms * 1_000
  const at = (outcome: TimeBucket['outcome'], time: number): TimeBucket => ({
    at: time - (time % minute),
    destination: outcome === 'delivered' ? 1 : 0,
    type: 'a',
    outcome,
    count: 1,
  })

  test('delivered does not go back by more than the minute when that event is erased', () => {
    const counted = [at('delivered', seconds(400)), at('delivered', seconds(70)), at('received', seconds(1))]
    const of = (kept: number[]) =>
      lastDeliveredAt({ lastDelivered: kept.map((time) => ({ destination: 1, at: time })) }, counted, 1)
    assert.equal(of([seconds(70)]), seconds(70))
    assert.equal(of([seconds(400)]), counted[1]!.at)
    assert.equal(of([]), counted[1]!.at)
    assert.equal(lastDeliveredAt({ lastDelivered: [] }, counted, 2), undefined)
  })

  test('received is not when something was brought in, and does not go back when that event is erased', () => {
    const [old, late] = [at('received', seconds(400)), at('received', seconds(70))]
    const of = (counted: TimeBucket[], kept?: number) =>
      lastReceivedAt(kept === undefined ? {} : { lastReceivedAt: kept }, counted)
    assert.equal(of([old, late], seconds(70)), seconds(70))
    assert.equal(of([old, late], seconds(400)), late.at)
    assert.equal(of([old, at('backfilled', seconds(5))], seconds(5)), old.at)
    assert.equal(of([at('backfilled', seconds(400)), late], seconds(70)), seconds(70))
    assert.equal(of([at('backfilled', seconds(5))], seconds(5)), undefined)
    assert.equal(of([], seconds(900_000)), seconds(900_000))
  })
})
