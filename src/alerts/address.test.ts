import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressProblemOf, shownAddress } from './address.ts'

test('one plain e-mail address is taken', () => {
  for (const address of ['name@example.com', 'a.b+c@mail.example.co', 'o’k@example.com'.replace('’', "'")])
    assert.equal(addressProblemOf('email', address, false), undefined, address)
})

test('what a mail server could read as several addresses, a name or another header is refused', () => {
  const odd = [
    'a@example.com, b@example.com',
    'a@example.com;b@example.com',
    'Name <a@example.com>',
    '<a@example.com>',
    'a@example.com\r\nBcc: b@example.com',
    'a@b@example.com',
    'a@example.com (comment)',
    '"a b"@example.com',
    'a@localhost',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    '@example.com',
    'a@',
    'a@exämple.com',
    'a@example.com\0',
    'mailto:a@example.com ',
    `${'a'.repeat(65)}@example.com`,
  ]
  for (const address of odd) assert.notEqual(addressProblemOf('email', address, false), undefined, address)
})

test('an address of a webhook is judged as the request will be, and loopback is allowed in code alone', () => {
  assert.equal(addressProblemOf('slack', 'https://hooks.slack.com/services/T0/B0/x', false), undefined)
  assert.match(addressProblemOf('webhook', 'http://hooks.example.com/', false)!, /https/)
  assert.match(addressProblemOf('webhook', 'http://127.0.0.1:8080/', false)!, /https/)
  assert.equal(addressProblemOf('webhook', 'http://127.0.0.1:8080/', true), undefined)
  assert.match(addressProblemOf('webhook', 'https://example.com/<your-token>', false)!, /placeholder/)
})

test('of an address its host and last four characters are shown, and of a short one less than half', () => {
  assert.equal(shownAddress('slack', 'https://hooks.slack.com/services/T000/B000/SECRETabcd'), 'hooks.slack.com …abcd')
  assert.equal(shownAddress('webhook', 'https://example.com/a?token=SECRET1234'), 'example.com …1234')
  assert.equal(shownAddress('webhook', 'https://example.com/abc'), 'example.com …c')
  assert.equal(shownAddress('webhook', 'https://example.com/'), 'example.com …')
  assert.equal(shownAddress('email', 'marketing@example.com'), '…ting@example.com')
  assert.equal(shownAddress('email', 'bo@example.com'), '…o@example.com')
})
