import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'
import { numberOf } from '../lib/json.ts'
import { hash } from './hash.ts'

// `printf %s bruce@example.com | sha256sum`
const bruce = 'fb3222ce381bc5a79365426544d7847f9ba679d987876fdbddf5604c90555296'
const diff = (updated: unknown) => ({ diff: [{ name: 'attributes.email', updated }] }) as never
const options = { hash: ['email'] }
const hashed = async (value: unknown) => (await sentOf('contact_updated', options, {}, diff(value))).traits.email

test('a text is its SHA-256 in lower-case hexadecimal, trimmed and in lower case first', async () => {
  assert.equal(await hashed('bruce@example.com'), bruce)
  assert.equal(await hashed('  Bruce@Example.COM '), bruce)
})

test('a number is hashed by its digits, whatever a double would make of it', async () => {
  // `printf %s 9007199254740993 | sha256sum`
  assert.equal(
    await hashed(numberOf('9007199254740993')),
    'a1c367c29158357e62a3ff5d3e800fb7698a22396439dbc0a9d4929322afd35d',
  )
  assert.notEqual(await hashed(12), await hashed('12 3'))
  assert.equal(await hashed(12), await hashed('12'))
})

test('null, empty and what is not a scalar stay as they are', async () => {
  for (const value of [null, '', [1], { a: 'b' }]) assert.deepEqual(await hashed(value), value)
})

test('a userId that was taken from a hashed attribute is hashed too, and another one is not', async () => {
  const userId = { attribute: 'email' }
  const one = await sentOf('button_clicked', { userId, hash: ['email'] }, { email: 'Bruce@example.com' })
  assert.equal(one.call.userId, bruce)
  const other = await sentOf('button_clicked', { userId, hash: ['phone'] }, { email: 'Bruce@example.com' })
  assert.equal(other.call.userId, 'Bruce@example.com')
})

test('contactId, messageId and anonymousId cannot be hashed', () => {
  for (const name of ['contactId', 'messageId', 'anonymousId'])
    assert.equal(hash.refusal!([name], {}, { types: [], tracks: [], fields: [] }), `${name} cannot be hashed`)
})
