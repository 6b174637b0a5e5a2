import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LaneShown, Shown } from '../../storage/ports/lookup.ts'
import { type Past, timeline } from './timeline.ts'

const at = Date.UTC(2026, 10, 24, 12)
const minute = 60_000
const event: Shown = {
  id: 128,
  org: '7',
  destination: 1,
  type: 'a',
  state: 'waiting',
  messageId: 'drift-a',
  receivedAt: at,
  mapping: 1,
  bytes: 1_234,
  failures: 0,
}
const segment = { number: 1, name: 'Segment' }
const lane: LaneShown = { lane: 'send', destination: 1, failures: 0 }

interface Told {
  shown?: Partial<Shown>
  lanes?: LaneShown[]
  destinations?: Past['destinations']
  steps?: Past['happened']['steps']
  leftOut?: number
}

/** Each step as `what it says | times in it | how it is marked`. */
const told = async ({ shown = {}, lanes = [lane], destinations = [segment], steps = [], leftOut = 0 }: Told) => {
  const past = {
    shown: { ...event, ...shown },
    lanes,
    destinations,
    happened: { steps, leftOut },
    now: at + 10 * minute,
  }
  const text = String(await timeline(past))
  return [...text.matchAll(/<li class="(\w*)">(.*?)<\/li>/g)].map(([, kind, said]) => {
    const times = [...said!.matchAll(/<time datetime="[^T]*T([\d:]{5})/g)].map(([, time]) => time)
    const plain = said!
      .replace(/<time.*?<\/time>/g, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/ +/g, ' ')
      .trim()
    return [plain, ...times, kind].filter(Boolean).join(' | ')
  })
}
const received = 'Received from Drift and stored, 1,234 bytes | 12:00'

describe('the timeline of an event', () => {
  test('says whose it is, and that Segment accepted it', async () => {
    const answer = { status: 200, many: 3, tries: 1 }
    const shown = { state: 'delivered', contact: '8', conversation: '9', settledAt: at + minute, answer } as const
    assert.deepEqual(await told({ shown }), [
      received,
      'Belongs to conversation 9 | known',
      'Belongs to contact 8 | known',
      'Delivered: Segment returned 200 | 12:01',
    ])
  })

  test('says what failed and when the next attempt is', async () => {
    const failing = { ...lane, failures: 1, triedAt: at + minute, lastError: 'segment_503', readyAt: at + 12 * minute }
    assert.deepEqual(await told({ lanes: [failing] }), [
      received,
      'Attempt failed: Segment returned 503 (service unavailable) | 12:01 | bad',
      'Next attempt at Segment | 12:12',
    ])
  })

  test('offers no next attempt while sending is paused', async () => {
    assert.deepEqual(await told({ lanes: [{ ...lane, hold: 'paused' }] }), [received])
  })

  test('an attempt before the event came is not one of its own', async () => {
    const failing = { ...lane, failures: 1, triedAt: at - minute, lastError: 'segment_503' }
    assert.deepEqual(await told({ lanes: [failing] }), [received, 'Next attempt at Segment | 12:10'])
  })

  test('an event of which Drift is asked waits for Drift', async () => {
    const asks: LaneShown = { lane: 'ask', destination: 0, failures: 0, leaseUntil: at + 20 * minute }
    assert.deepEqual(await told({ shown: { state: 'asking' }, lanes: [lane, asks] }), [
      received,
      'Drift is being asked | known',
    ])
  })

  test('a resend stands before what came of it, with who did it', async () => {
    const shown = { state: 'dead', reason: 'segment_400', settledAt: at + 5 * minute } as const
    const resent = { destination: 1, outcome: 'resent', resent: { at: at + 4 * minute, who: 'Drift admin' } } as const
    assert.deepEqual(await told({ shown, steps: [resent] }), [
      received,
      'Resent by Drift admin | 12:04',
      'Failed: Segment refused this event (400) | 12:05 | bad',
    ])
  })

  test('every attempt has its time, its duration, its answer and the next attempt; none is said twice', async () => {
    const shown = { state: 'delivered', settledAt: at + 3 * minute, contact: '8' } as const
    const looked = {
      destination: 0,
      outcome: 'answered',
      attempt: { at, ms: 80, status: 200, many: 1, tries: 1 },
    } as const
    const failed = {
      destination: 1,
      outcome: 'later',
      attempt: {
        at: at + minute,
        ms: 1_240,
        status: 503,
        many: 3,
        tries: 1,
        reason: 'segment_503',
        excerpt: '<b>busy</b>',
        nextAt: at + 3 * minute,
      },
    } as const
    const accepted = {
      destination: 1,
      outcome: 'delivered',
      attempt: { at: at + 3 * minute, ms: 9, status: 200, many: 1, tries: 1 },
    } as const
    assert.deepEqual(await told({ shown, steps: [looked, failed, accepted] }), [
      received,
      'Belongs to contact 8 | known',
      'Contact looked up: Drift returned 200 80 ms | 12:00',
      'Attempt failed: Segment returned 503 (service unavailable) 1.2 s, with 2 other events in the request; next attempt &lt;b&gt;busy&lt;/b&gt; | 12:03 | 12:01 | bad',
      'Delivered: Segment returned 200 9 ms | 12:03',
    ])
  })

  test('of several destinations each step names its own, and what another one answered stands with that one', async () => {
    const destinations = [segment, { number: 2, name: 'Lake', endpoint: 'lake' }]
    const step = (destination: number, outcome: 'delivered' | 'dead' | 'later', nth: number, reason?: string) => {
      const attempt = { at: at + nth * minute, ms: 9, status: reason ? 400 : 200, many: 1, tries: 1 }
      return { destination, outcome, attempt: reason ? { ...attempt, reason } : attempt }
    }
    const steps = [step(1, 'delivered', 1), step(2, 'dead', 2, 'segment_400'), step(3, 'delivered', 3)]
    const ofAll = [
      'Delivered (Segment): Segment returned 200 9 ms | 12:01',
      'Failed (Lake): lake refused this event when it was sent by itself (400, bad request) 9 ms | 12:02 | bad',
      'Delivered (destination 3, removed): the destination returned 200 9 ms | 12:03',
    ]
    const shown = { state: 'delivered', settledAt: at + minute } as const
    const [atSegment, atLake, removed] = ofAll
    assert.deepEqual(await told({ shown, destinations, steps }), [received, atSegment, removed])
    const dead = { state: 'dead', destination: 2, reason: 'segment_400' } as const
    assert.deepEqual(await told({ shown: dead, destinations, steps }), [received, atLake, removed])
    const failing = {
      ...lane,
      failures: 1,
      triedAt: at + 2 * minute,
      lastError: 'segment_503',
      readyAt: at + 12 * minute,
    }
    assert.deepEqual(await told({ destinations, lanes: [failing], steps: steps.slice(1, 2) }), [
      received,
      'Attempt failed (Segment): Segment returned 503 (service unavailable) | 12:02 | bad',
      'Next attempt at Segment | 12:12',
    ])
  })

  test('of a long run of failures the middle is one line', async () => {
    const failed = (nth: number) =>
      ({
        destination: 1,
        outcome: 'later',
        attempt: { at: at + nth * minute, ms: 1, status: 500, many: 1, tries: 1 },
      }) as const
    const lines = await told({ steps: [1, 2, 3, 4, 5, 6].map(failed), leftOut: 1_200 })
    assert.equal(lines[6], '1,200 more attempts, of which only the number is kept | known')
    assert.match(lines[7]!, /12:06/)
  })
})
