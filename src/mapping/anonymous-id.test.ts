import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOf, sentOf } from '../../test/mapped.ts'
import { anonymousId } from './anonymous-id.ts'

const confirmed = 'visitors can type what they like there'

test("anonymousId is the browser's where the contact has it, and contactId stays in the properties", async () => {
  const browser = '2f0c8f3e-6f63-4a29-8c3b-0d3c3f3b8a11'
  const { call, properties } = await sentOf(
    'button_clicked',
    { anonymousId: { confirmed } },
    { segment_anonymous_id: browser },
  )
  assert.equal(call.anonymousId, browser)
  assert.equal(String(properties.contactId), (await callOf('button_clicked')).anonymousId)
})

test('anonymousId stays the contactId where the attribute is missing or is not an id', async () => {
  const before = (await callOf('button_clicked')).anonymousId
  for (const attributes of [undefined, {}, { segment_anonymous_id: 'null' }]) {
    const { call } = await sentOf('button_clicked', { anonymousId: { confirmed } }, attributes)
    assert.equal(call.anonymousId, before)
  }
})

test('it needs the confirmation in words', () => {
  const known = { types: [], tracks: [], fields: [] }
  assert.match(String(anonymousId.refusal!({}, {}, known)), /needs the words/)
  assert.equal(anonymousId.refusal!({ confirmed }, {}, known), undefined)
})
