import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Log, openLog, silentLog } from '../lib/log.ts'
import { type Answered, webhookLines } from './webhook-lines.ts'

const stored: Answered = {
  status: 200,
  outcome: 'stored',
  org: '12345',
  type: 'new_meeting',
  state: 'waiting',
  messageId: 'drift-1',
  bytes: 100,
  durationMs: 2,
}
const odd: Answered = {
  ...stored,
  state: 'quarantined',
  reason: 'shape_unknown',
  messageId: 'drift-2',
  durationMs: 3.5,
}

async function written(answered: Answered[], levels: (keyof Log)[] = ['info', 'error']) {
  const lines: [level: string, event: string, fields: Fields][] = []
  const log = { ...silentLog }
  for (const level of levels) log[level] = (event, fields = {}) => void lines.push([level, event, fields])
  const write = webhookLines(log)
  for (const one of answered) write(one)
  await new Promise(setImmediate)
  return lines
}

test('webhooks that are answered together are one line, which counts them, says why some are ignored, and how long the slowest took', async () => {
  const others: Answered[] = [
    { ...stored, type: 'new_conversation', outcome: 'duplicate' },
    { ...stored, type: 'other', outcome: 'ignored', ignoredAs: 'unknown_type' },
  ]
  assert.deepEqual(await written([stored, odd, ...others, stored]), [
    ['info', 'webhook', odd],
    [
      'info',
      'received',
      {
        webhooks: 5,
        stored: 3,
        duplicate: 1,
        ignored: 1,
        types: 'new_meeting 3, new_conversation 1, other 1',
        ignoredAs: 'unknown_type 1',
        org: '12345',
        exceptional: 1,
        bytes: 500,
        durationMs: 3.5,
      },
    ],
  ])
})

test('webhooks of several accounts say of how many, and a later turn is a line of its own', async () => {
  const [[, , first] = []] = await written([stored, { ...stored, org: '777' }])
  assert.deepEqual([first?.org, first?.accounts, first?.exceptional], [undefined, 2, undefined])
  const [[, , second] = []] = await written([stored])
  assert.deepEqual([second?.webhooks, second?.org], [1, '12345'])
})

test('what is refused is a line of its own and in no group, and an error where the store was away', async () => {
  const refused: Answered = { status: 401, reason: 'token_wrong', durationMs: 1 }
  const away: Answered = { status: 503, reason: 'store_full', bytes: 100, durationMs: 1 }
  assert.deepEqual(await written([refused, away]), [
    ['info', 'webhook', refused],
    ['error', 'webhook', away],
  ])
})

test('at debug every webhook has a line of its own, and at info no fields are made for it', async () => {
  const lines = await written([stored, odd], ['debug', 'info'])
  assert.deepEqual(
    lines.map(([level, event, { messageId }]) => [level, event, messageId]),
    [
      ['debug', 'webhook', 'drift-1'],
      ['info', 'webhook', 'drift-2'],
      ['info', 'received', undefined],
    ],
  )
  const stream = { write() {} }
  assert.equal(openLog('info', stream).debug, undefined)
  assert.notEqual(openLog('debug', stream).debug, undefined)
})
