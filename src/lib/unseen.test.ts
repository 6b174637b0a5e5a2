import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unseenIn, withUnseenShown } from './unseen.ts'

describe('an unseen character', () => {
  const unseen: [code: number, name: RegExp][] = [
    [0x00, /an invisible character \(U\+0000\)/],
    [0x09, /a tab/],
    [0x0a, /a line break/],
    [0x7f, /an invisible character/],
    [0x85, /an invisible character/],
    [0xa0, /a no-break space/],
    [0xad, /a soft hyphen/],
    [0x034f, /an invisible character/],
    [0x061c, /an invisible character/],
    [0x115f, /an invisible character/],
    [0x180e, /an invisible character/],
    [0x2003, /an invisible character/],
    [0x200b, /a zero-width space \(U\+200B\)/],
    [0x200e, /a direction mark/],
    [0x2028, /an invisible character/],
    [0x202e, /an invisible character/],
    [0x2060, /a word joiner/],
    [0x2800, /an invisible character/],
    [0x2066, /an invisible character/],
    [0x3000, /an invisible character/],
    [0xfe0f, /an invisible character/],
    [0xfeff, /a byte order mark/],
    [0xe0001, /an invisible character \(U\+E0001\)/],
  ]
  for (const [code, name] of unseen)
    test(`U+${code.toString(16)} is named, wherever it stands`, () => {
      const sign = String.fromCodePoint(code)
      for (const text of [`${sign}key`, `k${sign}ey`, `key${sign}`]) assert.match(unseenIn(text)!, name)
    })

  test('is not found in what people write', () => assert.equal(unseenIn('Zoë’s key: 1 + 1 = 2; 東京'), undefined))
})

test('what others wrote is shown with nothing unseen in it, and JSON stays the same JSON', () => {
  const wrote = { 'k\u200bey': 'a\u202eb\u00ad\u{e0041}\u0000\u009b2J\u2028\ufeff\n', seen: 'Zoë 東京 🙂' }
  const shown = withUnseenShown(JSON.stringify(wrote, undefined, 2))
  assert.deepEqual(JSON.parse(shown), wrote)
  assert.equal(unseenIn(shown.replaceAll('\n', '')), undefined)
  assert.match(shown, /"k\\u200bey": "a\\u202eb\\u00ad\\udb40\\udc41/)
  assert.match(shown, /Zoë 東京 🙂/)
  assert.equal(withUnseenShown('one\ntwo\r\tthree'), 'one\ntwo\\u000d\\u0009three')
})
