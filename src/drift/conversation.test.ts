import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unmakeable } from '../lib/request.ts'
import { judgeConversation } from './conversation.ts'

test('a lookup whose token no request can carry is not taken for an outage', () => {
  assert.deepEqual(judgeConversation({ status: 0, failure: unmakeable }), { is: 'unmakeable' })
  const outage = judgeConversation({ status: 0, failure: 'ECONNREFUSED' })
  assert.deepEqual(outage, { is: 'later', reason: 'ECONNREFUSED' })
})
