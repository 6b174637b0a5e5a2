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
