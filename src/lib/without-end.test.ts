import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedText } from '../../test/counted-text.ts'
import { withoutEnd } from './without-end.ts'

test('what stands at the end of a text goes, and nothing else', () => {
  assert.equal(withoutEnd('https://a//b///', '/'), 'https://a//b')
  assert.equal(withoutEnd(' a \r\n', '\r\n'), ' a ')
  assert.equal(withoutEnd('///', '/'), '')
  assert.equal(withoutEnd('', '/'), '')
})

test('a long run within a text is passed over, not looked at again from each of its characters', () => {
  const looksAt = (spaces: number) => {
    const { text, looks } = countedText(`a${' '.repeat(spaces)}b${' '.repeat(spaces)}`)
    withoutEnd(text, ' ')
    return looks()
  }
  assert.ok(looksAt(20_000) <= 2 * looksAt(10_000))
})
