import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { build } from './json-build.ts'

test('what is built of a text is what JSON.parse makes of it, whatever its spaces, escapes and keys', () => {
  const names = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '2', '1', '', 'a'), fc.string())
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value')),
      fc.array(fc.tuple(names, tie('value'))).map((entries) => Object.fromEntries(entries)),
    ),
  }))
  fc.assert(
    fc.property(value, fc.constantFrom('', ' ', '\r\n\t'), fc.boolean(), (said, indent, isEscaped) => {
      const plain = JSON.stringify(said, undefined, indent)
      const text = isEscaped ? plain.replace(/[^\0-\x7f]|\//g, (sign) => spelled(sign)) : plain
      const [built, parsed] = [build(text, Number), JSON.parse(text)]
      assert.deepEqual(built, parsed)
      assert.equal(JSON.stringify(built), JSON.stringify(parsed), 'in the same order')
    }),
  )
})

test('a key that stands twice has the last value at the first place, as JSON.parse has it', () => {
  const text = '{"a":1,"b":2,"a":3,"__proto__":4,"__proto__":5}'
  assert.equal(JSON.stringify(build(text, Number)), JSON.stringify(JSON.parse(text)))
})

test('the digits of each number are handed on as they stand', () => {
  assert.deepEqual(
    build(' [ -0.0 , 1E+5,12345678901234567891 ] ', (digits) => [digits]),
    [['-0.0'], ['1E+5'], ['12345678901234567891']],
  )
})

function spelled(sign: string): string {
  return sign === '/' ? '\\/' : `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
