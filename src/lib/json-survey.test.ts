import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { countedText } from '../../test/counted-text.ts'
import { hostileJson } from '../../test/hostile-json.ts'
import { readText } from './json.ts'
import { depthMax, numberCharactersMax, survey, valuesMax } from './json-survey.ts'

/** Of the survey alone, which is all that a stranger's text gets, and of the whole reading. JSON.parse counts as one look. */
function looksAt(text: string): { surveying: number; reading: number } {
  const [surveyed, read] = [countedText(text), countedText(text)]
  survey(surveyed.text, ['token', 'type', 'orgId'])
  readText(read.text)
  return { surveying: surveyed.looks(), reading: read.looks() }
}

function memberOf(text: string): { times: number; text?: string } | undefined {
  const member = survey(text, ['token']).members.get('token')
  if (!member) return undefined
  const { times, value } = member
  return { times, ...(value ? { text: text.slice(value.from, value.to) } : {}) }
}

describe('what reading a text costs', () => {
  for (const [name, shape] of Object.entries(hostileJson)) {
    test(`is at most twice as much for twice the length: ${name}`, () => {
      const [one, two] = [shape(6_000), shape(12_000)]
      for (const part of ['surveying', 'reading'] as const) {
        const [before, after] = [one, two].map((text) => looksAt(text)[part] / text.length)
        assert.ok(after! <= before! * 1.05, `${part}: ${before} and ${after} looks at a character`)
      }
    })
  }

  test('is four looks at a character for a stranger and twelve for a reader, at most, whatever it is or was cut from', () => {
    const text = fc.oneof(
      fc.constantFrom(...Object.values(hostileJson)).map((shape) => shape(500)),
      fc.json({ maxDepth: 6 }),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[{}[\]",:\\0-9e.+-]*$/),
    )
    fc.assert(
      fc.property(text, fc.nat(20), fc.nat(), (part, times, end) => {
        const whole = part.repeat(times)
        const cut = whole.slice(0, end % (whole.length + 1))
        const { surveying, reading } = looksAt(cut)
        // The words of JSON, at a place where one of them could stand, are more than a text of a few characters.
        assert.ok(surveying <= 4 * cut.length + 20, `${surveying} looks at ${cut.length} characters`)
        assert.ok(reading <= 12 * cut.length + 40, `${reading} looks at ${cut.length} characters`)
      }),
    )
  })
})

describe('surveying a text', () => {
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

test('a text is JSON to the reader when it is to JSON.parse, also where it is too much to be built', () => {
  const json = fc.json({ maxDepth: 3 })
  const pretty = json.map((text) => JSON.stringify(JSON.parse(text), undefined, '\t\r\n '))
  const oneOff = fc
    .tuple(json, fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\0-.eE+ tu\0\n\u00a0\u2028'))
    .map(([text, at, cut, sign]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + sign + text.slice(place + cut)
    })
  const deep = (text: string) => '['.repeat(depthMax) + text + ']'.repeat(depthMax)
  fc.assert(
    fc.property(fc.oneof(pretty, oneOff, oneOff.map(deep), fc.string()), (text) => {
      const reading = readText(text)
      assert.equal(!reading.ok && reading.problem === 'invalid_json', !isJson(text), JSON.stringify(text))
    }),
    { numRuns: 2_000 },
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
