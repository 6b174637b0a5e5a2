import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../test/clock.ts'
import type { Fields } from './log.ts'
import { silentLog } from './log.ts'
import { sampledLog } from './sampled-log.ts'

function started() {
  const clock = manualClock()
  const lines: { event: string; fields: Fields | undefined }[] = []
  const write = (event: string, fields?: Fields) => void lines.push({ event, fields })
  const written = { ...silentLog, info: write, error: write }
  const log = sampledLog(written, clock, (event, { status }) =>
    event === 'webhook' && status !== 200 ? `${status}` : undefined,
  )
  return { clock, lines, log }
}

test('of lines of one kind the first ten of a minute are written, and the next minute says how many were not', () => {
  const { clock, lines, log } = started()
  for (let n = 0; n < 1_000; n++) log.info('webhook', { status: 401 })
  assert.equal(lines.length, 10)
  clock.advance(60_000)
  log.info('webhook', { status: 401 })
  log.info('webhook', { status: 401 })
  assert.deepEqual(
    lines.slice(10).map(({ fields }) => fields),
    [{ status: 401, unlogged: 990 }, { status: 401 }],
  )
})

test('lines of errors are sampled too, where their kind is named', () => {
  const { lines, log } = started()
  for (let n = 0; n < 50; n++) {
    log.error('webhook', { status: 503 })
    log.error('claim_failed')
  }
  assert.equal(lines.filter(({ event }) => event === 'webhook').length, 10)
  assert.equal(lines.filter(({ event }) => event === 'claim_failed').length, 50)
})

test('one kind takes no lines from another, and lines of no kind are all written', () => {
  const { lines, log } = started()
  for (let n = 0; n < 50; n++) for (const status of [401, 413, 200]) log.info('webhook', { status })
  const count = (status: number) => lines.filter(({ fields }) => fields?.status === status).length
  assert.deepEqual([count(401), count(413), count(200)], [10, 10, 50])
})
