import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answered } from '../lib/request.ts'
import { contactRequest, judgeContact } from './contact.ts'

const answered = (status: number, body: unknown): Answered =>
  ({ status, headers: {}, body: JSON.stringify(body) }) as Answered

test('a contact is asked for with the access token of its account', () => {
  const { url, headers } = contactRequest('https://drift.example', '77', 'secret')
  assert.equal(url, 'https://drift.example/contacts/77')
  assert.equal(headers?.authorization, 'Bearer secret')
})

test("an answer gives the contact's attributes, none where Drift says nothing of it", () => {
  const found = judgeContact(answered(200, { data: { id: 77, attributes: { externalId: 'a' } } }))
  assert.deepEqual(found, { is: 'found', attributes: { externalId: 'a' } })
  assert.deepEqual(judgeContact(answered(200, { data: { id: 77 } })), { is: 'found', attributes: {} })
})

test('what is not an answer about the contact is not taken for one', () => {
  assert.equal(judgeContact(answered(200, [])).is, 'later')
  assert.equal(judgeContact(answered(502, 'a page')).is, 'later')
  assert.equal(judgeContact(answered(404, { error: { type: 'not_found', message: '' } })).is, 'missing')
  assert.equal(judgeContact(answered(404, 'a page')).is, 'later')
})
