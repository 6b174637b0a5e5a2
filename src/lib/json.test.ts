import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonical, isExactNumber, type Json, numberOf, readChecked, readText, textOf } from './json.ts'
import { depthMax } from './json-survey.ts'

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))

function read(input: Buffer) {
  const text = textOf(input)
  return text === undefined ? ({ ok: false, problem: 'invalid_utf8' } as const) : readText(text)
}

describe('the strict reader', () => {
  const refused: [id: string, input: Buffer, problem: string][] = [
    ['an empty text', bytes(''), 'invalid_json'],
    ['a text that breaks off', bytes('{"a":'), 'invalid_json'],
    ['a text with more behind its end', bytes('{} x'), 'invalid_json'],
    ['two documents', bytes('{}{}'), 'invalid_json'],
    ['a comment', bytes('{/**/}'), 'invalid_json'],
    ['single quotes', bytes("{'a':1}"), 'invalid_json'],
    ['NaN', bytes('{"a":NaN}'), 'invalid_json'],
    ['a trailing comma', bytes('{"a":1,}'), 'invalid_json'],
    ['33 levels', bytes('['.repeat(33) + ']'.repeat(33)), 'too_deep'],
    ['100,000 levels', bytes('['.repeat(100_000) + ']'.repeat(100_000)), 'too_deep'],
    ['60,002 values', bytes(`[${'[],'.repeat(60_000)}1]`), 'too_many_values'],
    ['a key twice', bytes('{"a":1,"a":2}'), 'duplicate_key'],
    ['a key twice, deep', bytes('{"x":[{"a":1,"a":1}]}'), 'duplicate_key'],
    ['a key twice, escaped', bytes('{"a":1,"\\u0061":2}'), 'duplicate_key'],
    ['__proto__ twice', bytes('{"__proto__":1,"__proto__":2}'), 'duplicate_key'],
    ['a number beyond every double', bytes('{"a":1e400}'), 'number_out_of_range'],
    ['a number with a leading zero', bytes('{"a":0123}'), 'invalid_json'],
    ['a number with a plus', bytes('{"a":+1}'), 'invalid_json'],
    ['a hexadecimal number', bytes('{"a":0x10}'), 'invalid_json'],
    ['bytes that are not UTF-8', bytes('{"a":"', [0xff, 0xfe], '"}'), 'invalid_utf8'],
    ['overlong UTF-8', bytes('{"a":"', [0xc0, 0xaf], '"}'), 'invalid_utf8'],
    ['surrogates as UTF-8', bytes('{"a":"', [0xed, 0xa0, 0x80], '"}'), 'invalid_utf8'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'invalid_json'],
  ]
  for (const [id, input, problem] of refused) {
    test(`the JSON reader refuses ${id}: ${problem}`, () => {
      const reading = read(input)
      assert.equal(reading.ok ? 'read' : reading.problem, problem)
    })
  }

  const taken: [id: string, input: Buffer, text: string][] = [
    ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{"a":1}'), '{"a":1}'],
    ['32 levels', bytes('['.repeat(depthMax) + ']'.repeat(depthMax)), '['.repeat(depthMax) + ']'.repeat(depthMax)],
    [
      'odd keys, which are plain data',
      bytes('{"__proto__":{"x":1},"constructor":1,"then":2}'),
      '{"__proto__":{"x":1},"constructor":1,"then":2}',
    ],
    ['an id above 2^53', bytes('{"a":9007199254740993}'), '{"a":9007199254740993}'],
    ['2^64', bytes('[18446744073709551616]'), '[18446744073709551616]'],
    ['thirty digits', bytes('[123456789012345678901234567890]'), '[123456789012345678901234567890]'],
    ['more digits than a double holds', bytes('[34.03812345678901234567]'), '[34.03812345678901234567]'],
    ['a whole number with a fraction of zero', bytes('[21760538950.0]'), '[21760538950]'],
    ['an exponent', bytes('[1e3]'), '[1000]'],
    ['a minus zero', bytes('[-0]'), '[0]'],
    ['a number too small for a double', bytes('[1e-400]'), '[1e-400]'],
    ['NUL, U+2028 and emoji', bytes('["\\u0000\u2028😀"]'), '["\\u0000\u2028😀"]'],
    ['a lone surrogate, as an escape', bytes('["\\ud800"]'), '["\\ud800"]'],
    ['quotes and colons within strings', bytes('{"a\\":{":"[,\\\\"}'), '{"a\\":{":"[,\\\\"}'],
  ]
  for (const [id, input, text] of taken) {
    test(`the JSON reader takes ${id}`, () => {
      const reading = read(input)
      assert.ok(reading.ok)
      assert.equal(JSON.stringify(reading.value), text)
    })
  }

  test('the JSON reader reads any value that JSON can say as it was written', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const reading = readText(text)
        assert.ok(reading.ok)
        assert.equal(JSON.stringify(reading.value), JSON.stringify(JSON.parse(text)))
      }),
    )
  })

  test('the JSON reader gives any digits back as the same number', () => {
    const digits = fc.tuple(fc.bigInt(), fc.nat(40)).map(([whole, zeros]) => `${whole}.${'0'.repeat(zeros)}1e-${zeros}`)
    fc.assert(
      fc.property(fc.oneof(digits, fc.bigInt().map(String)), (text) => {
        const reading = readText(text)
        assert.ok(reading.ok)
        const said = JSON.stringify(reading.value)
        // Either the very digits, or a double that says the same number.
        assert.ok(said === text || Number(said) === Number(text))
        if (/^-?\d+$/.test(text)) assert.equal(BigInt(said), BigInt(text))
      }),
    )
  })
})

describe('the canonical text', () => {
  test('is read the same by the quick reader as by the strict one, whatever its numbers', () => {
    const number = fc
      .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: -420, max: 300 }), fc.boolean())
      .map(([digits, exponent, isPlain]) => numberOf(isPlain ? String(digits) : `${digits}e${exponent}`))
      .filter((made) => Number.isFinite(Number(canonical(made))))
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        number,
        fc.constantFrom(null, true, false),
        fc.string({ unit: 'binary' }),
        fc.array(tie('value')),
        fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value')),
      ),
    }))
    fc.assert(
      fc.property(value, (one) => {
        const text = canonical(one)
        const strict = readText(text)
        assert.ok(strict.ok)
        assert.deepEqual(readChecked(text), strict.value)
        assert.equal(canonical(readChecked(text)!), text)
      }),
      { numRuns: 500 },
    )
  })

  test('is the same however the keys are ordered and the text is spaced', () => {
    const spellings = ['{"a":1,"b":[{"d":null,"c":"x"}]}', ' { "b" : [ { "c":"\\u0078", "d":null } ], "a":1.0 } ']
    const [one, other] = spellings.map((text) => {
      const reading = readText(text)
      assert.ok(reading.ok)
      return canonical(reading.value)
    })
    assert.equal(one, other)
  })

  test('reads back as the same value, and differs for different ones', () => {
    const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
    fc.assert(
      fc.property(value, value, (one, other) => {
        assert.equal(canonical(JSON.parse(canonical(one))), canonical(one))
        const same = JSON.stringify(one) === JSON.stringify(other)
        if (same) assert.equal(canonical(one), canonical(other))
      }),
    )
    assert.notEqual(canonical(['1']), canonical([1]))
    assert.notEqual(canonical({ a: [] }), canonical({ a: {} }))
  })
})

test('digits become a plain number where a double holds them, else an exact one', () => {
  assert.equal(numberOf('21760538950'), 21_760_538_950)
  assert.ok(isExactNumber(numberOf('9007199254740993')))
  assert.equal(JSON.stringify(numberOf('9007199254740993')), '9007199254740993')
})
