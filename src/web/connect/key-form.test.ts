import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { openKeyring } from '../../accounts/keyring.ts'
import { systemRandom } from '../../lib/random.ts'
import { openInMemory } from '../../storage/sqlite/in-memory.ts'
import { keyGiven } from './key-form.ts'

const secret = createSecretKey(Buffer.alloc(32, 7))
const org = '12345'

test('an empty field keeps the saved key; where it is to be sent elsewhere, the key is judged for that place', async () => {
  const keyring = await openKeyring(openInMemory().vault, [{ id: 'test', secret }], systemRandom)
  const given = (key: string, isMoved: boolean) =>
    keyGiven(keyring, org, { pasted: ' ', chosen: '', known: { word: 'saved', key, isMoved } })
  const [odd, unusual, usual] = ['a.key/of+any~form', 'short-one', 'AbCdEfGhIjKlMnOpQrStUvWxYz012345']
  for (const key of [odd, unusual, usual]) assert.equal((await given(key!, false)).is, 'sure')
  assert.equal((await given(usual!, true)).is, 'sure')
  assert.deepEqual(await given(odd!, true), {
    is: 'wrong',
    problem: 'the saved write key cannot be one there: a write key has only letters and digits',
  })
  const asked = await given(unusual!, true)
  assert.ok(asked.is === 'unsure' && asked.question.known === undefined)
  assert.match(asked.question.warning ?? '', /mostly have 32 letters and digits/)
})
