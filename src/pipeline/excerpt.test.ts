import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { excerptOf } from './excerpt.ts'

const key = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'
const texts = [
  '{"type":"track","messageId":"drift-AZNd-L0_g","anonymousId":"7","properties":{"slug":"friday","email":"a@b.example"}}',
]
const asked = { secrets: [key], texts }

describe('what is kept of an answer', () => {
  for (const [what, answer, kept] of [
    ['words and statuses', 'HTTP 400: the batch has no type', 'HTTP 400: the batch has no type'],
    ['no key of the request', `unknown key "${key}"`, 'unknown key "…"'],
    ['no messageId', '{"error":"drift-AZNd-L0_g is not valid"}', '{"error":"… is not valid"}'],
    ['no value of a message, be it plain letters', 'slug friday is too long', 'slug … is too long'],
    [
      'names of fields and of calls',
      'track: messageId is missing in properties',
      'track: messageId is missing in properties',
    ],
    ['no e-mail address', 'mailto:someone@else.example failed', 'mailto:… failed'],
    ['no long number', 'contact 21760595678 at 1714423000003', 'contact … at …'],
    ['no network address', 'upstream 10.0.0.7:443 is away', 'upstream …:443 is away'],
    ['no line breaks or control characters', 'one\r\n\u001b[2Jtwo\u202e', 'one [2Jtwo'],
    ['nothing of nothing', ' \n ', ''],
  ] as const)
    test(`has ${what}`, () => assert.equal(excerptOf(answer, asked), kept))

  test('is at most 200 characters', () => {
    assert.equal(excerptOf('word '.repeat(1_000), asked).length, 199)
    assert.equal(excerptOf('w'.repeat(199), asked).length, 199)
  })

  test('has no part of a key, wherever in the answer it stands', () => {
    fc.assert(
      fc.property(fc.nat(700), fc.nat(300), (before, after) => {
        const kept = excerptOf(`${'x '.repeat(before / 2)}${key}${' y'.repeat(after)}`, asked)
        for (let at = 0; at + 4 <= key.length; at++) assert.ok(!kept.includes(key.slice(at, at + 4)))
      }),
    )
  })
})
