/** What a stranger's Content-Encoding costs. What each coding does is shown in test/bad-input.test.ts. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { decodeBody, isPlain } from './content-encoding.ts'

test('a header full of codings that do not exist is looked through no further than its second', async () => {
  const words = 'a,'.repeat(16_000)
  const looks = mock.method(globalThis, 'TextDecoder').mock
  assert.equal(isPlain(words), false)
  assert.equal(await decodeBody(Buffer.from('{}'), words, 10), 'unknown')
  assert.equal(looks.callCount(), 4, 'two for each of the two questions')
  looks.restore()
})
