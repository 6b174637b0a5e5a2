/** What one process knows of accounts, where several looks at the store and changes are under way at once. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Install } from '../storage/ports/accounts.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { type Accounts, openAccounts } from './accounts.ts'

const now = 1_000
const live = (install: Install): Install => ({ ...install, state: 'live' })
const left = (install: Install): Install => ({ ...install, state: 'disconnected' })

/** Its first answer is there, and is heard when the test says so. */
function heldUp<Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) {
  const { promise, resolve } = Promise.withResolvers<void>()
  let calls = 0
  return {
    async call(...args: Args): Promise<Result> {
      const isFirst = ++calls === 1
      const result = await call(...args)
      if (isFirst) await promise
      return result
    },
    goOn: resolve,
  }
}

describe('while several looks at the store are under way, a process', () => {
  let storage: Storage
  let here: Accounts
  let elsewhere: Accounts
  beforeEach(async () => {
    storage = openInMemory()
    here = await openAccounts(storage.installs, storage.inbox)
    elsewhere = await openAccounts({ ...storage.installs }, storage.inbox)
  })
  const knownHere = () =>
    here
      .all()
      .map(({ org }) => org)
      .toSorted()

  test('knows each account that one of them has found', async () => {
    for (const org of ['1', '2']) await elsewhere.change(org, now, live)
    const { call, goOn } = heldUp(storage.installs.get)
    storage.installs.get = call
    const one = here.reload(now, '1')
    await here.reload(now, '2')
    goOn()
    await one
    assert.deepEqual(knownHere(), ['1', '2'])
  })

  test('goes on knowing an account that it has added while all were read', async () => {
    await elsewhere.change('1', now, live)
    const { call, goOn } = heldUp(storage.installs.list)
    storage.installs.list = call
    const all = here.reload(now)
    await here.change('2', now, live)
    goOn()
    await all
    assert.deepEqual(knownHere(), ['1', '2'])
  })

  test('knows what was saved last, not what a change had read before that and left as it was', async () => {
    await here.change('1', now, live)
    const { promise: waits, resolve: goOn } = Promise.withResolvers<undefined>()
    const unchanged = here.change('1', now, () => waits)
    await here.change('1', now, left)
    goOn(undefined)
    assert.equal((await unchanged)?.state, 'disconnected')
    assert.equal(here.get('1')?.state, 'disconnected')
  })
})
