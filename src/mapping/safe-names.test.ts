import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'

test('the id of a conversation is also conversationId, and the agent who pushed it also agentId', async () => {
  const begun = await sentOf('new_conversation', { safeNames: true })
  assert.equal(begun.properties.conversationId, begun.properties.id)
  const pushed = await sentOf('conversation_push', { safeNames: true })
  assert.equal(pushed.properties.agentId, pushed.properties.userId)
})

test('what has the safe name already keeps its value, and nothing is taken away', async () => {
  const before = (await sentOf('conversation_push', {}, {}, { conversationId: 7 })).properties
  const { properties } = await sentOf('conversation_push', { safeNames: true }, {}, { conversationId: 7 })
  assert.equal(properties.conversationId, 7)
  for (const [name, value] of Object.entries(before)) assert.deepEqual(properties[name], value)
})

test('traits of a contact are not touched', async () => {
  const diff = [{ name: 'attributes.id', updated: 1 }]
  const { traits } = await sentOf('contact_updated', { safeNames: true }, {}, { diff })
  assert.deepEqual(Object.keys(traits), ['contactId', 'id'])
})
