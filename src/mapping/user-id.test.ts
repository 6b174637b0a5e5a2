import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'
import { userId } from './user-id.ts'

const options = { userId: { attribute: 'externalId' } }
const known = { types: [], tracks: [], fields: [] }

test("userId is the contact's externalId, beside the anonymousId", async () => {
  const { call } = await sentOf('button_clicked', options, { externalId: 'a12-1234' })
  assert.equal(call.userId, 'a12-1234')
  assert.match(call.anonymousId, /^\d+$/)
})

test('without a usable value no userId is sent at all', async () => {
  for (const attributes of [undefined, {}, { externalId: null }, { externalId: '' }, { externalId: '0' }]) {
    const { call } = await sentOf('button_clicked', options, attributes)
    assert.ok(!('userId' in call))
  }
})

test('another attribute than externalId needs the confirmation in words', () => {
  assert.equal(userId.refusal!({ attribute: 'externalId' }, {}, known), undefined)
  assert.match(String(userId.refusal!({ attribute: 'email' }, {}, known)), /email needs the words/)
  assert.match(String(userId.refusal!({ attribute: 'email', confirmed: 'yes' }, {}, known)), /needs the words/)
  const confirmed = 'visitors can type what they like there'
  assert.equal(userId.refusal!({ attribute: 'email', confirmed }, {}, known), undefined)
})
