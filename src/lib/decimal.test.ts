import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isExact } from './decimal.ts'

test('digits are exact where a double says the same number, however they are written', () => {
  const exact = [
    '1',
    '-0.0',
    '1.50e2',
    '150000000000000000000',
    '0.1',
    '1e22',
    `1.${'0'.repeat(300)}`,
    '0e999999',
    '0E-9',
  ]
  const inexact = ['9007199254740993', '1e400', '1E-400', `1.${'0'.repeat(300)}1`, '0.10000000000000000001']
  for (const digits of exact) assert.ok(isExact(digits), digits)
  for (const digits of inexact) assert.ok(!isExact(digits), digits)
})
