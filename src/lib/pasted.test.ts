import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secretProblem, textProblem, trimmed } from './pasted.ts'

describe('a text that a person pasted', () => {
  test('loses the plain spaces and line breaks around it, and keeps what is not seen', () => {
    assert.equal(trimmed(' \t\r\nkey value\r\n\n'), 'key value')
    assert.equal(trimmed('\u00a0key\ufeff'), '\u00a0key\ufeff')
  })

  const quoted = [
    '"key"',
    "'key'",
    '`key`',
    '“key”',
    '”key”',
    '„key“',
    '‘key’',
    '‚key‘',
    '«key»',
    '»key«',
    '‹key›',
    '「key」',
    '＂key＂',
    '´key´',
    '“key"',
    '""',
  ]
  for (const text of quoted)
    test(`is refused for the quotes around it: ${text}`, () => {
      assert.match(textProblem(text)!, /^stands in quotes/)
      assert.match(secretProblem(text)!, /^stands in quotes/)
    })

  test('may have quotes elsewhere, or one that stands alone', () => {
    for (const text of ['"', 'a"b', '"a" and b', "O'Neill", 'Zoë’s']) assert.equal(textProblem(text), undefined, text)
  })

  test('is refused where it is still a placeholder', () => {
    for (const text of ['changeme', '<token>', '$DRIFT_CLIENT_SECRET'])
      assert.match(textProblem(text)!, /^is still a placeholder/)
  })

  test('is refused for an unseen character, which is named', () => {
    assert.match(textProblem('host\u200b')!, /a zero-width space \(U\+200B\)/)
  })
})

test('a secret is visible ASCII, as a header can carry it', () => {
  for (const good of ['AbC123', 'a/b+c=', 'x;y', 'a"b']) assert.equal(secretProblem(good), undefined, good)
  assert.match(secretProblem('a b')!, /a space/)
  assert.match(secretProblem('kéy')!, /not plain ASCII/)
  assert.match(secretProblem('key\ufffd')!, /not plain ASCII/)
  assert.match(secretProblem('key\u2060')!, /a word joiner/)
})
