import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../lib/log.ts'
import type { Answered } from '../lib/request.ts'
import { warningOfTls } from './tls-warning.ts'

test('a partner whose TLS is not right is one warning, and one more after it was right in between', async () => {
  const lines: object[] = []
  let answer: Answered = { status: 0, failure: 'TLS_EXPIRED' }
  const send = warningOfTls(async () => answer, {
    ...silentLog,
    warn: (event, fields) => void lines.push({ event, ...fields }),
  })
  const ask = () => send({ method: 'GET', url: 'https://api.segment.example/v1/batch?secret=1', deadlineMs: 1 })
  const warning = { event: 'partner_tls', host: 'api.segment.example', reason: 'TLS_EXPIRED' }
  for (let n = 0; n < 5; n++) await ask()
  assert.deepEqual(lines, [warning])
  answer = { status: 0, failure: 'ECONNREFUSED' }
  await ask()
  answer = { status: 200, headers: {}, body: '' }
  await ask()
  answer = { status: 0, failure: 'TLS_EXPIRED' }
  await ask()
  assert.deepEqual(lines, [warning, warning])
})
