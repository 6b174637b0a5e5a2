import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLine } from './csv.ts'

test('a cell with a comma, a quote or a line break is quoted', () => {
  assert.equal(csvLine(['a', 'b,c', 'say "x"', '']), 'a,"b,c","say ""x""",\r\n')
})

test('a spreadsheet runs nothing: what begins as a formula is text', () => {
  for (const text of ['=HYPERLINK("x")', '+1', '-1', '@SUM(A1)', '\t=1'])
    assert.doesNotMatch(csvLine([text]), /^"?[=+\-@\t\r]/, text)
})

test('an invisible character is written out by its code', () => {
  assert.equal(csvLine(['a\u202eb']), 'a\\u202eb\r\n')
})
