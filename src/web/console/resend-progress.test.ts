import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobShown } from '../../operations/jobs.ts'
import { chosenIn } from './at-destination.ts'
import { progress } from './resend-progress.ts'

const job: JobShown = {
  id: 'a',
  kind: 'redrive',
  org: '7',
  who: 'admin',
  state: 'running',
  createdAt: 0,
  startedAt: 0,
  changedAt: 20,
  counts: { found: 1, moved: 1, total: 1 },
  perMinute: { found: 3_000 },
  hasEnded: false,
}
const session = { org: '7', csrf: 'c', who: 'admin', provenAt: 0 }
const look = (more: Partial<JobShown> = {}) =>
  String(progress({ ...job, ...more }, { session, now: 1_000, chosen: chosenIn(undefined, '7', undefined) }))

test('a resend names its pace while it runs, and not of one event that took 20 ms', () => {
  assert.match(look(), /3,000 events a minute/)
  assert.doesNotMatch(look({ state: 'done', endedAt: 20, hasEnded: true }), /a minute/)
})

test('a resend says why it left some as they are, beside those that would fail again', () => {
  const said = look({ counts: { found: 25, moved: 14, stays_data_unusable: 1 } })
  assert.match(said, /10 events stay as they are: the destination has had the same conversation or meeting/)
  assert.match(said, /1 event would fail again, and stays/)
  assert.doesNotMatch(look(), /stays? as/)
})
