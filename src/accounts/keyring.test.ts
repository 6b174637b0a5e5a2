import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Problem } from '../lib/errors.ts'
import { systemRandom } from '../lib/random.ts'
import type { Vault } from '../storage/ports/accounts.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { type Keyring, openKeyring } from './keyring.ts'

const older = { id: 'older', secret: createSecretKey(Buffer.alloc(32, 'older')) }
const newer = { id: 'newer', secret: createSecretKey(Buffer.alloc(32, 'newer')) }
const orgs = ['1', '2', '3', '4', '5']

/** What a departure does with account 1's keys. */
async function forget(vault: Vault, keyring: Keyring): Promise<void> {
  for (const name of await keyring.namesOf('1')) await vault.remove(name)
  await keyring.reload()
}

describe('the keyring', () => {
  test('under a key that is not the one it was made with is refused, and nothing is touched', async () => {
    const { vault } = openInMemory()
    const keyring = await openKeyring(vault, [older], systemRandom)
    const sealed = await keyring.seal('1', 'place', 'said')
    const before = await vault.list('')
    const impostor = { id: 'older', secret: createSecretKey(Buffer.alloc(32, 'impostor')) }
    for (const wrong of [newer, impostor])
      await assert.rejects(
        openKeyring(vault, [wrong], systemRandom),
        (error: Problem) => error.code === 'encryption_keys_wrong' && error.exitCode === 78,
      )
    assert.deepEqual(await vault.list(''), before)
    const again = await openKeyring(vault, [older], systemRandom)
    assert.equal((await again.open('place', sealed)).toString(), 'said')
  })

  test('a rotation that was cut short goes on where it was; meanwhile both keys are needed, and all opens', async () => {
    const { vault } = openInMemory()
    const keyring = await openKeyring(vault, [older], systemRandom)
    const sealed = await Promise.all(orgs.map((org) => keyring.seal(org, 'place', org)))
    const identity = keyring.identity('the same event')

    let left = 3
    const replace: typeof vault.replace = async (name, value) => {
      if (left-- === 0) throw new Error('killed here')
      return vault.replace(name, value)
    }
    const rotating = await openKeyring({ ...vault, replace }, [newer, older], systemRandom)
    await assert.rejects(rotating.rewrap(), /killed here/)

    for (const alone of [[newer], [older]]) await assert.rejects(openKeyring(vault, alone, systemRandom))
    const resumed = await openKeyring(vault, [newer, older], systemRandom)
    for (const [at, org] of orgs.entries())
      assert.equal((await resumed.open('place', sealed[at]!)).toString(), org, 'half-way')
    const counts = await resumed.wrappedBy()
    assert.equal(counts.get('newer'), 3)
    assert.equal(await resumed.rewrap(), orgs.length + 1 - 3, 'each account, and our own')

    const after = await openKeyring(vault, [newer], systemRandom)
    for (const [at, org] of orgs.entries()) assert.equal((await after.open('place', sealed[at]!)).toString(), org)
    assert.deepEqual(after.identity('the same event'), identity)
  })

  test('a key is forgotten also where another process made it', async () => {
    const { vault } = openInMemory()
    const here = await openKeyring(vault, [older], systemRandom)
    const there = await openKeyring(vault, [older], systemRandom)
    const sealed = await there.seal('1', 'place', 'said')
    await forget(vault, here)
    await there.reload()
    for (const keyring of [here, there])
      await assert.rejects(keyring.open('place', sealed), (error: Problem) => error.code === 'key_forgotten')
  })

  test('after an account was forgotten it opens again, with the same secret and all that is our own', async () => {
    const { vault } = openInMemory()
    const before = await openKeyring(vault, [older], systemRandom)
    const ours = await before.seal('', 'place', 'ours')
    await before.seal('1', 'place', 'theirs')
    await forget(vault, before)
    const after = await openKeyring(vault, [older], systemRandom)
    assert.deepEqual(after.identity('the same event'), before.identity('the same event'))
    assert.equal((await after.open('place', ours)).toString(), 'ours')
  })

  test('what another process forgot and made again, of the same account or of another, before a look at it, is learnt', async () => {
    for (const next of ['1', '2']) {
      const { vault } = openInMemory()
      const here = await openKeyring(vault, [older], systemRandom)
      const there = await openKeyring(vault, [older], systemRandom)
      const old = await there.seal('1', 'place', 'said')
      await here.open('place', old)
      await forget(vault, there)
      const sealed = await there.seal(next, 'place', 'said again')
      await here.reload()
      assert.equal((await here.open('place', sealed)).toString(), 'said again')
      await assert.rejects(here.open('place', old), (error: Problem) => error.code === 'key_forgotten')
      const again = await there.open('place', await here.seal(next, 'place', 'by both'))
      assert.equal(again.toString(), 'by both')
    }
  })

  test('of two processes that begin at once on a new store, each has the same secret', async () => {
    const { vault } = openInMemory()
    const both = await Promise.all([0, 1].map(() => openKeyring(vault, [older], systemRandom)))
    const after = await openKeyring(vault, [older], systemRandom)
    for (const keyring of both) assert.deepEqual(keyring.identity('the same event'), after.identity('the same event'))
  })
})
