/** What a stranger's Content-Encoding costs. What each coding does is shown in test/webhook/bad-input.test.ts. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { decodeBody } from './content-encoding.ts'

test('a header full of codings that do not exist is looked through no further than its second', async () => {
  const words = 'a,'.repeat(16_000)
  const looks = mock.method(globalThis, 'TextDecoder').mock
  const bytes = Buffer.from('{}')
  assert.deepEqual(await decodeBody(bytes, words, 10), { bytes, encoding: 'unknown' })
  assert.equal(looks.callCount(), 2)
  looks.restore()
})
