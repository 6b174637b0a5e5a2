import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numberOf } from '../lib/json.ts'
import { identityOf, isConfirmed } from './identity.ts'

test('a whole number is an id by its digits, also one that a double would round', () => {
  assert.equal(identityOf(12_341_243), '12341243')
  assert.equal(identityOf(numberOf('9007199254740993')), '9007199254740993')
  assert.equal(identityOf(1.5), undefined)
  assert.equal(identityOf(numberOf('1.00000000000000000001')), undefined)
})

test('a string of 1 to 255 printable characters is an id, as it is', () => {
  for (const id of ['a12-1234', 'Bruce@Example.com', '用户 7', ' a', 'x'.repeat(255)]) assert.equal(identityOf(id), id)
  for (const text of ['', ' ', 'x'.repeat(256), 'a\nb', 'a\u0000', 'a\u200b', '\ud800'])
    assert.equal(identityOf(text), undefined)
})

test('a text that stands for no person is not an id', () => {
  for (const none of ['0', 0, 'null', 'undefined', 'NULL', null, undefined, true, {}, []])
    assert.equal(identityOf(none as never), undefined)
})

test('the confirmation is these words and no others', () => {
  assert.ok(isConfirmed(' Visitors can type what they like there. '))
  for (const typed of [undefined, '', 'yes', 'visitors can type']) assert.ok(!isConfirmed(typed))
})
