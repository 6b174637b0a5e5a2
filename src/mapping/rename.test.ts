import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'
import { catalogue } from '../events/index.ts'
import { knownNames } from './known.ts'
import { rename } from './rename.ts'

const known = knownNames(catalogue)
const refusal = (setting: object, all = {}): string | undefined => {
  const why = rename.refusal!(setting, all, known)
  return typeof why === 'object' ? why.says : why
}

test('single events, properties and traits have other names, in their places, and the rest stays', async () => {
  const options = {
    rename: { events: { new_conversation: 'Chat Started' }, fields: { inboxId: 'inbox', seats: 'Seats' } },
  }
  const { call, properties } = await sentOf('new_conversation', options)
  assert.equal(call.type === 'track' && call.event, 'Chat Started')
  assert.deepEqual(Object.keys(properties), [
    'contactId',
    'createdAt',
    'id',
    'inbox',
    'relatedPlaybookId',
    'status',
    'updatedAt',
  ])
  assert.equal((await sentOf('contact_updated', options)).traits.Seats, 12)
})

test('other options name the original: what is dropped or hashed is so before it is renamed', async () => {
  const options = { drop: ['inboxId'], hash: ['status'], rename: { fields: { inboxId: 'inbox', status: 'state' } } }
  const { properties } = await sentOf('new_conversation', options)
  assert.ok(!('inbox' in properties) && !('inboxId' in properties))
  assert.match(String(properties.state), /^[0-9a-f]{64}$/)
})

test('where a contact has an attribute of the new name, both keep theirs and none is lost', async () => {
  const diff = [
    { name: 'attributes.work_email', updated: 'a' },
    { name: 'attributes.mail', updated: 'b' },
  ]
  const { traits } = await sentOf('contact_updated', { rename: { fields: { work_email: 'mail' } } }, {}, { diff })
  assert.deepEqual({ ...traits }, { contactId: 21760551284, work_email: 'a', mail: 'b' })
})

test("a name that is a column of Segment's warehouses is refused", () => {
  // https://segment.com/docs/connections/storage/warehouses/schema/ lists them.
  for (const name of [
    'id',
    'userId',
    'User ID',
    'anonymous_id',
    'receivedAt',
    'event',
    'event_text',
    'sent_at',
    'timestamp',
  ])
    assert.match(refusal({ fields: { status: name } })!, /reserved|name of its own/, name)
  assert.match(refusal({ fields: { status: 'context_ip' } })!, /reserved/)
})

test('a name that exists is refused: of a property, of what an option adds, of another renamed one', () => {
  for (const name of ['inboxId', 'inbox_id', 'conversationId', 'agent_id', 'phone'])
    assert.match(refusal({ fields: { status: name } })!, /another property/, name)
  assert.match(refusal({ fields: { status: 'x', inboxId: 'X' } })!, /another property/)
})

test('a name that is not safe is refused', () => {
  for (const name of ['__proto__', 'constructor', 'a\nb', ' a', 'a ', '<b>', "a'b"])
    assert.match(refusal({ fields: { status: name } })!, /safe/, JSON.stringify(name))
  for (const name of ['a\u0000b', ' a', '__proto__']) assert.match(refusal({ events: { new_meeting: name } })!, /safe/)
})

test('contactId, messageId and anonymousId cannot be renamed, nor be the name of anything else', () => {
  for (const name of ['contactId', 'messageId', 'anonymousId']) {
    assert.equal(refusal({ fields: { [name]: 'x' } }), `${name} cannot be renamed`)
    assert.ok(refusal({ fields: { status: name } }))
  }
})

test("the name of another event is refused: ours, the spec's, and another renamed one", () => {
  for (const name of [
    'Drift Source Event: new_meeting',
    'Live Chat Conversation Started',
    'Drift Source Event: connection_test',
  ])
    assert.match(refusal({ events: { new_conversation: name } })!, /another event/)
  assert.match(refusal({ events: { new_conversation: 'Chat new_meeting' } }, { prefix: 'Chat ' })!, /another event/)
  assert.match(refusal({ events: { new_conversation: 'A', new_meeting: 'A' } })!, /another event/)
  assert.equal(refusal({ events: { new_conversation: 'Drift Source Event: new_conversation' } }), undefined)
})
