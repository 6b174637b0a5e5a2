import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeFor, judgeWriteKey } from './key.ts'

const usual = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'

test('a write key of 32 letters and digits is usual, whatever it spells', () => {
  for (const key of [usual, 'yourABCDEFGHIJKLMNOPQRSTUVWXYZ12', 'k'.repeat(32)])
    assert.deepEqual(judgeWriteKey(` ${key}\r\n`), { is: 'usual', key })
})

test('a write key of another form is unusual: it may be right, and is worth a second look', () => {
  for (const key of ['03fwkuu3', 'abcde', usual.slice(1), `${usual}6`, 'a-b_c']) {
    const judged = judgeWriteKey(key)
    assert.equal(judged.is, 'unusual', key)
    assert.match('why' in judged ? judged.why : '', /mostly have 32 letters and digits/)
  }
})

test('the key of an endpoint has any form, and a colon in it is worth a second look', () => {
  const judge = judgeFor({ region: 'us', endpoint: 'lake' })
  assert.deepEqual(judge(' short.of/any+form '), { is: 'usual', key: 'short.of/any+form' })
  const judged = judge('user:secret')
  assert.equal(judged.is, 'unusual')
  assert.match('why' in judged ? judged.why : '', /^it has a colon/)
  for (const wrong of ['', 'with space', 'k'.repeat(201)]) assert.equal(judge(wrong).is, 'refused', wrong)
})

const refused: [pasted: string, why: RegExp][] = [
  ['', /enter a write key/],
  [' \n', /enter a write key/],
  [`"${usual}"`, /in quotes/],
  [`${usual};`, /only letters and digits/],
  [`${usual.slice(1)}"`, /only letters and digits/],
  [`${usual}\u200b`, /zero-width space/],
  ['correct horse battery', /holds a space/],
  ['https://api.segment.io', /an address/],
  ['app.segment.com', /only letters and digits/],
  ['sgp_AbCdEfGhIjKlMnOpQrStUvWxYz01234567', /Public API/],
  ['SGP_AbCdEfGhIjKlMnOpQrStUvWxYz01234567', /Public API/],
  ['YOUR_WRITE_KEY', /placeholder/],
  ['writeKey', /placeholder/],
  ['undefined', /placeholder/],
  ['xxxxxxxx', /placeholder/],
  ['5000883', /a number/],
  ['k'.repeat(201), /far longer/],
]
for (const [pasted, why] of refused)
  test(`what cannot be a write key is refused with its reason: ${JSON.stringify(pasted.slice(0, 40))}`, () => {
    const judged = judgeWriteKey(pasted)
    assert.equal(judged.is, 'refused')
    const said = 'why' in judged ? judged.why : ''
    assert.match(said, why)
    assert.ok(pasted.trim() === '' || !said.includes(pasted.trim()), 'it is not repeated')
  })
