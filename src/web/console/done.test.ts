import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeDestination } from '../../accounts/destinations.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { doneOf } from './done.ts'

const now = Date.UTC(2025, 5, 2)
const live: Install = {
  org: '1',
  state: 'live',
  settings: '{"destinations":[{"number":1,"name":"Segment","key":"AAAA"}]}',
  createdAt: 0,
  updatedAt: 0,
  generation: 1,
}
const keyless: Install = { ...live, settings: '{}' }
const paused = changeDestination({ ...live, state: 'paused' as const }, 1, { paused: true })

const titles = (word: string, install: Install, lanes: LaneShown[] = []) =>
  doneOf(word, install, lanes, now).map(({ title }) => title)

test('an account that was resumed without a write key is not said to be sending', () => {
  assert.deepEqual(titles('resumed', { ...keyless, state: 'waiting_for_key' }), [
    'Events are kept and not sent, for the reason below',
  ])
  assert.match(titles('resumed', live).join(), /Sending is resumed/)
})

test('what a form did to one of several destinations is said by its name, and of no other', () => {
  const two = [1, 2].map((number) => ({ number, name: ['Segment', 'Staging'][number - 1], key: 'AAAA' }))
  const both: Install = { ...live, settings: JSON.stringify({ destinations: two, lastDestination: 2 }) }
  const paused = changeDestination(both, 2, { paused: true })
  const done = (word: string, install: Install, number: number, lanes: LaneShown[] = []) =>
    doneOf(word, install, lanes, now, number).map(({ title }) => title)
  assert.deepEqual(done('paused', paused, 2), ['Sending to Staging is paused'])
  assert.deepEqual(done('paused', paused, 1), [])
  assert.deepEqual(done('resumed', both, 2), ['Sending to Staging is resumed'])
  assert.deepEqual(done('resumed', both, 3), [], 'it is not there any more')
  const tried = { lane: 'send', destination: 1, failures: 0, askedAt: now, triedAt: now } as LaneShown
  assert.deepEqual(done('tried', both, 1, [tried]), ['Segment accepted the attempt'])
  assert.deepEqual(done('tried', both, 2, [tried]), [])
})

test('an endpoint that is the only destination is named as who answered, and Segment is not', () => {
  const lake: Install = {
    ...live,
    settings: '{"destinations":[{"number":1,"name":"Segment","endpoint":"lake","key":"AAAA"}]}',
  }
  const tried = { lane: 'send', destination: 1, failures: 0, askedAt: now, triedAt: now } as LaneShown
  assert.deepEqual(titles('tried', lake, [tried]), ['lake accepted the attempt'])
  const failed = { ...tried, failures: 1, lastError: 'segment_503' }
  assert.deepEqual(titles('tried', lake, [failed]), ['Attempt failed: lake returned 503 (service unavailable)'])
})

test('a page that stands open or is loaded again says nothing of a form that another person has overruled since', () => {
  assert.match(titles('paused', paused).join(), /Sending is paused/)
  assert.deepEqual(titles('paused', live), [])
  assert.doesNotMatch(titles('resumed', paused).join(), /Sending is resumed/)
  assert.match(titles('held', paused).join(), /No attempt was made/)
  assert.deepEqual(titles('held', live), [])
  const waits = { lane: 'send', failures: 1, readyAt: now + 60_000 } as LaneShown
  assert.match(titles('nothing', live).join(), /Nothing to retry/)
  assert.deepEqual(titles('nothing', live, [waits]), [])
})

test('what is resumed a moment after another attempt is not said to be sent: the next attempt is still to come', () => {
  const resumedAt = now - 1_000
  const retried = { lane: 'send', destination: 1, failures: 0, askedAt: now - 4_000, triedAt: now - 3_000 } as LaneShown
  const lane = { ...retried, lastError: 'segment_401', readyAt: now + 6_000 }
  const done = doneOf('resumed', { ...live, updatedAt: resumedAt }, [lane], now)
  assert.deepEqual(
    done.map(({ level, title }) => [level, title]),
    [
      ['info', 'Resumed: the next attempt is still to come'],
      ['info', 'An attempt was made a moment ago'],
    ],
  )
  assert.match(String(done[1]!.says), /does not accept the write key \(401.*The next one is possible at/)
  const own = { ...lane, askedAt: resumedAt, lastError: 'segment_503' }
  assert.deepEqual(titles('resumed', { ...live, updatedAt: resumedAt }, [own]), [
    'Sending is resumed',
    'Attempt failed: Segment returned 503 (service unavailable)',
  ])
})

test('an attempt that failed for what only a person can mend is not said to need no action', () => {
  const tried = { lane: 'send', destination: 1, failures: 1, askedAt: now, triedAt: now, readyAt: now + 1 } as LaneShown
  const says = (lastError: string) => String(doneOf('tried', live, [{ ...tried, lastError }], now)[0]!.says)
  assert.doesNotMatch(says('segment_401'), /no action needed/i)
  assert.match(says('segment_401'), /Check the write key and the region/)
  assert.match(says('segment_503'), /No action needed/)
})
