import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'
import { drop } from './drop.ts'

test('properties and traits that are named are left out, and the others stay', async () => {
  const { properties } = await sentOf('button_clicked', { drop: ['ip', 'location', 'alias'] })
  assert.ok(!('ip' in properties) && !('location' in properties) && 'body' in properties)
  const { traits } = await sentOf('contact_updated', { drop: ['alias', 'nickname'] })
  assert.deepEqual(Object.keys(traits), [
    'contactId',
    '_classification',
    'company_note',
    'socialProfiles.twitter',
    'seats',
  ])
})

test('a copy under a safe name goes with what it is a copy of', async () => {
  const { properties } = await sentOf('new_conversation', { safeNames: true, drop: ['id'] })
  assert.ok(!('id' in properties) && !('conversationId' in properties))
})

test('contactId, messageId and anonymousId cannot be dropped', () => {
  for (const name of ['contactId', 'messageId', 'anonymousId'])
    assert.equal(drop.refusal!(['ip', name], {}, { types: [], tracks: [], fields: [] }), `${name} cannot be dropped`)
})
