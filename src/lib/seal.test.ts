import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { systemRandom } from './random.ts'
import { keyedDigest, keyIdOf, seal, unseal } from './seal.ts'

const key = { id: 7, secret: createSecretKey(systemRandom.bytes(32)) }
const sealed = seal(key, 'entries body 1', Buffer.from('secret'), systemRandom)

describe('a seal', () => {
  test('opens with its key at its place, and names its key', () => {
    assert.equal(unseal(key, 'entries body 1', sealed).toString(), 'secret')
    assert.equal(keyIdOf(sealed), 7)
    assert.equal(unseal(key, '', seal(key, '', Buffer.alloc(0), systemRandom)).length, 0)
  })

  test('shows nothing of what is in it, and is never the same twice', () => {
    assert.ok(!sealed.includes('secret'))
    assert.notDeepEqual(seal(key, 'entries body 1', Buffer.from('secret'), systemRandom), sealed)
  })

  test('does not open after a single bit was changed, wherever', () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at]! ^= 1
      assert.throws(() => unseal(key, 'entries body 1', changed), { code: 'sealed_unreadable' })
    }
  })

  test('does not open at another place, with another key, or cut short', () => {
    const failure = { code: 'sealed_unreadable' }
    assert.throws(() => unseal(key, 'entries body 2', sealed), failure)
    assert.throws(
      () => unseal({ id: 7, secret: createSecretKey(systemRandom.bytes(32)) }, 'entries body 1', sealed),
      failure,
    )
    for (let length = 0; length < sealed.length; length++) {
      assert.throws(() => unseal(key, 'entries body 1', sealed.subarray(0, length)), failure)
    }
  })
})

test('a keyed digest depends on the secret, on every part, and on where the parts end', () => {
  const { secret } = key
  const one = keyedDigest(secret, 'a', 'b')
  assert.deepEqual(keyedDigest(secret, 'a', 'b'), one)
  assert.notDeepEqual(keyedDigest(secret, 'ab'), one)
  assert.notDeepEqual(keyedDigest(createSecretKey(systemRandom.bytes(32)), 'a', 'b'), one)
})
