import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageId, sentOf } from '../../test/mapped.ts'

// The names and types are those of https://segment.com/docs/connections/spec/live-chat/.
test('a new conversation is also Live Chat Conversation Started, under a messageId of its own', async () => {
  const { call, extra } = await sentOf('new_conversation', { liveChat: true, externalIds: true })
  assert.deepEqual(extra, {
    type: 'track',
    event: 'Live Chat Conversation Started',
    anonymousId: call.anonymousId,
    messageId: `${messageId}.lc`,
    timestamp: call.timestamp,
    context: call.context,
    integrations: { Drift: false },
    properties: { conversation_id: '3969707702', conversation_duration: 0 },
  })
})

test('a closed conversation is also Live Chat Conversation Ended, with its seconds and its agent', async () => {
  const { extra } = await sentOf('conversation_push', { liveChat: true })
  assert.equal(extra?.event, 'Live Chat Conversation Ended')
  assert.deepEqual(extra.properties, {
    conversation_id: '3969711123',
    agent_id: '2322756',
    conversation_duration: 1687,
  })
})

test('no other event has one: not a conversation that is pushed while it is open, nor a changed contact', async () => {
  assert.equal((await sentOf('conversation_push', { liveChat: true }, {}, { status: 'open' })).extra, undefined)
  for (const type of ['button_clicked', 'contact_updated', 'new_meeting'])
    assert.equal((await sentOf(type, { liveChat: true })).extra, undefined)
})

test('times that make no duration are left out of it', async () => {
  const { extra } = await sentOf('conversation_push', { liveChat: true }, {}, { pushedAt: 5 })
  assert.deepEqual(extra?.properties, { conversation_id: '3969711123', agent_id: '2322756' })
})

test('what is dropped or hashed is so in the second event too, under whichever name', async () => {
  const dropped = await sentOf('conversation_push', { liveChat: true, safeNames: true, drop: ['userId'] })
  assert.ok(!('agent_id' in dropped.extra!.properties))
  const hashed = await sentOf('conversation_push', { liveChat: true, hash: ['userId'] })
  assert.match(String(hashed.extra!.properties.agent_id), /^[0-9a-f]{64}$/)
})
