import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { hostileJson } from '../../test/hostile-json.ts'
import { isExact } from './decimal.ts'
import { readText } from './json.ts'
import { depthMax, numberCharactersMax, survey, valuesMax } from './json-survey.ts'

/** Bytes that count how often one of them is looked at. */
function counted(text: string): { bytes: Uint8Array; looks: () => number } {
  const bytes = Buffer.from(text)
  let looks = 0
  const proxy = new Proxy<Uint8Array>(bytes, {
    get(target, name) {
      if (name === 'length') return target.length
      if (name === 'subarray') {
        return (from: number, to: number) => {
          looks += to - from
          return target.subarray(from, to)
        }
      }
      assert.ok(typeof name === 'string' && /^\d+$/.test(name), `the survey uses ${String(name)}: count it here`)
      looks++
      return target[Number(name)]
    },
  })
  return { bytes: proxy, looks: () => looks }
}

function looksAt(text: string): number {
  const { bytes, looks } = counted(text)
  survey(bytes, ['token', 'type', 'orgId'])
  return looks()
}

function memberOf(text: string): { times: number; text?: string } | undefined {
  const bytes = Buffer.from(text)
  const member = survey(bytes, ['token']).members.get('token')
  if (!member) return undefined
  const { times, value } = member
  return { times, ...(value ? { text: bytes.toString('utf8', value.from, value.to) } : {}) }
}

describe('surveying a text', () => {
  for (const [name, shape] of Object.entries(hostileJson)) {
    test(`of twice the length takes at most twice the looks: ${name}`, () => {
      const [one, two] = [shape(6_000), shape(12_000)]
      const looks = [one, two].map((text) => looksAt(text) / text.length)
      assert.ok(looks[1]! <= looks[0]! * 1.05, `${looks[0]} and ${looks[1]} looks at a character`)
      assert.ok(looksAt(two) <= 8 * Buffer.byteLength(two), `${looksAt(two)} looks at ${two.length} characters`)
    })
  }

  test('looks at a byte eight times at most, whatever JSON it is or was cut from', () => {
    const text = fc.oneof(
      fc.json({ maxDepth: 6 }),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[{}[\]",:\\0-9e.+-]*$/),
    )
    fc.assert(
      fc.property(text, fc.nat(20), fc.nat(), (part, times, end) => {
        const whole = part.repeat(times)
        const cut = whole.slice(0, end % (whole.length + 1))
        assert.ok(looksAt(cut) <= 8 * Buffer.byteLength(cut))
      }),
    )
  })

  test('counts the keys of any JSON, and finds a member of the outermost object wherever it stands', () => {
    const json = fc.json({ maxDepth: 4 })
    fc.assert(
      fc.property(json, json, fc.string(), (before, after, token) => {
        const text = `{"x":${before},"t\\u006fken" : ${JSON.stringify(token)},"y":{"token":${after}}}`
        assert.deepEqual(memberOf(text), { times: 1, text: JSON.stringify(token) })
      }),
    )
  })

  const members: [says: string, text: string, member: object | undefined][] = [
    ['a number', '{"token":12}', { times: 1, text: '12' }],
    ['nothing of a value that is an object', '{"token":{"a":"b"}}', { times: 1 }],
    ['nothing of a literal', '{"token":null,"a":"b"}', { times: 1 }],
    ['that it stands twice', '{"token":"a","b":1,"tok\\u0065n":"c"}', { times: 2, text: '"a"' }],
    ['nothing of one further in', '{"a":{"token":"x"},"b":[{"token":1}]}', undefined],
    ['nothing in a list', '["token",{"token":1}]', undefined],
    ['nothing of a value that spells the name', '{"a":"token","b":"token"}', undefined],
  ]
  for (const [says, text, member] of members) {
    test(`says ${says}: ${text}`, () => {
      assert.deepEqual(memberOf(text), member)
    })
  }
})

describe('too much is not read', () => {
  const cases: [problem: string, within: string, beyond: string][] = [
    ['too_deep', '['.repeat(depthMax) + ']'.repeat(depthMax), '['.repeat(depthMax + 1) + ']'.repeat(depthMax + 1)],
    ['too_many_values', `[${'1,'.repeat(valuesMax - 2)}1]`, `[${'1,'.repeat(valuesMax)}1]`],
    ['number_too_long', `[${'1'.repeat(300)}]`, `[${'1'.repeat(numberCharactersMax + 1)}]`],
  ]
  for (const [problem, within, beyond] of cases) {
    test(`${problem} is what is beyond the limit, and not what is within it`, () => {
      assert.ok(readText(within).ok)
      assert.deepEqual(readText(beyond), { ok: false, problem })
    })
  }
})

test('digits are exact where a double says the same number, however they are written', () => {
  const exact = ['1', '-0.0', '1.50e2', '150000000000000000000', '0.1', '1e22', `1.${'0'.repeat(300)}`, '0e999999']
  const inexact = ['9007199254740993', '1e400', '1e-400', `1.${'0'.repeat(300)}1`, '0.10000000000000000001']
  for (const digits of exact) assert.ok(isExact(digits), digits)
  for (const digits of inexact) assert.ok(!isExact(digits), digits)
})
