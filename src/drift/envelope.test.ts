import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokensOf } from './envelope.ts'

test('a token is blanked in each of the spellings that JSON has for it', () => {
  const token = 'a/b+"c\\d=e-0123'
  const { blank } = tokensOf([token])
  const quoted = JSON.stringify(token).slice(1, -1)
  const escaped = [...token].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  for (const spelling of [
    token,
    quoted,
    quoted.replaceAll('/', '\\/'),
    escaped,
    escaped.toUpperCase().replaceAll('U', 'u'),
  ])
    assert.equal(blank(`{"token":"${spelling}"`), '{"token":"[token]"', spelling)
})
