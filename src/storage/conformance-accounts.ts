/** What every engine promises of accounts: their installs, audit, keys, and whose conversations are whose. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, one, other, type Promised } from './conformance.ts'
import type { AuditEntry, Install } from './ports/accounts.ts'

export const accountPromises: readonly Promised[] = [
  {
    promise: 'an install is saved only over the generation it was read at',
    async check({ installs }) {
      const install: Install = {
        org: one,
        state: 'live',
        settings: '{"option":"x"}',
        createdAt: 1,
        updatedAt: 2,
        generation: 0,
      }
      const secrets = { grant: Buffer.from('grant'), refreshAt: 9, reason: 'why' }
      assert.equal(await installs.save({ ...install, ...secrets }), true)
      assert.equal(await installs.save(install), false)
      assert.equal(await installs.save({ ...install, generation: 2 }), false)
      const stored = await installs.get(one)
      assert.deepEqual({ ...stored, grant: undefined }, { ...install, ...secrets, grant: undefined, generation: 1 })
      assert.ok(Buffer.from(stored!.grant!).equals(secrets.grant))
      assert.equal(await installs.save({ ...install, generation: 1 }), true)
      assert.equal((await installs.get(one))?.grant, undefined)
      assert.deepEqual(
        (await installs.list()).map(({ org, generation }) => [org, generation]),
        [[one, 2]],
      )
      assert.equal(await installs.get(other), undefined)
    },
  },
  {
    promise: 'an account’s change and its entry in the audit are kept together or not at all',
    async check({ installs, audit }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const entry: AuditEntry = { at: 5, org: one, who: 'console', what: 'paused', about: 'why' }
      assert.equal(await installs.save(install, entry), true)
      assert.deepEqual(await audit.list(one, 9), [entry])
      assert.equal(await installs.save(install, { ...entry, what: 'resumed' }), false)
      assert.deepEqual(await audit.list(one, 9), [entry])
      assert.equal(await installs.save({ ...install, generation: 1 }), true)
      assert.deepEqual(await audit.list(one, 9), [entry])
      // An engine that checks what it keeps refuses an entry without an account, and then the change too.
      const ofNobody = { ...entry, who: null as unknown as string }
      await installs.save({ ...install, state: 'paused', generation: 2 }, ofNobody).catch(() => {})
      const isChanged = (await installs.get(one))?.state === 'paused'
      assert.equal((await audit.list(one, 9)).length, isChanged ? 2 : 1)
    },
  },
  {
    promise: 'names leave the vault together with the change of an account, and stay when it is not kept',
    async check({ installs, vault }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const names = async () => (await vault.list('')).map(({ name }) => name)
      for (const name of ['a/1', 'a/10', 'b']) await vault.create(name, Buffer.from(name))
      await installs.save(install)
      assert.equal(await installs.save(install, undefined, ['a/1']), false)
      assert.deepEqual(await names(), ['a/1', 'a/10', 'b'])
      assert.equal(await installs.save({ ...install, generation: 1 }, undefined, ['a/1', 'none']), true)
      assert.deepEqual(await names(), ['a/10', 'b'])
    },
  },
  {
    promise: 'the settings of an install are a text that is kept byte for byte, whatever is in it',
    async check({ installs }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const texts = ['{ "b": 1.0, "a": [ ],\n"a": "\\u00e9é😀" }', '{"digits":12345678901234567890}', 'no JSON', '']
      for (const [generation, settings] of texts.entries()) {
        assert.equal(await installs.save({ ...install, settings, generation }), true)
        assert.equal((await installs.get(one))?.settings, settings)
        assert.deepEqual(
          (await installs.list()).map((listed) => listed.settings),
          [settings],
        )
      }
    },
  },
  {
    promise: 'a reservation is one holder’s until its time is up or it is given back, and no other can give it back',
    async check({ installs }) {
      const of = (holder: string, until: number, org = one) => ({ org, holder, until })
      const tries = await Promise.all(['a', 'b', 'c'].map((holder) => installs.reserve(of(holder, 2_000), 1_000)))
      assert.equal(tries.filter(Boolean).length, 1)
      assert.equal(await installs.reserve(of('d', 3_000, other), 1_000), true)
      assert.equal(await installs.reserve(of('e', 3_000), 1_999), false)
      assert.equal(await installs.reserve(of('f', 3_000), 2_000), true)
      await installs.release(of('a', 2_000))
      assert.equal(await installs.reserve(of('g', 3_000), 2_500), false)
      await installs.release(of('f', 3_000))
      assert.equal(await installs.reserve(of('g', 3_000), 2_500), true)
    },
  },
  {
    promise:
      'in the vault the first writer wins, a name is a name whatever is in it, and a prefix removes its own only',
    async check({ vault }) {
      const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
      assert.equal(text(await vault.create('a/1', Buffer.from('first'))), 'first')
      assert.equal(text(await vault.create('a/1', Buffer.from('second'))), 'first')
      await vault.create('a/%_', Buffer.from('odd'))
      await vault.create('b', Buffer.from('other'))
      assert.equal(await vault.replace('b', Buffer.from('new')), true)
      assert.equal(await vault.replace('c', Buffer.from('new')), false)
      assert.equal(await vault.read('c'), undefined)
      assert.deepEqual(
        (await vault.list('a/')).map(({ name }) => name),
        ['a/%_', 'a/1'],
      )
      await vault.remove('a/')
      assert.equal(await vault.read('a/1'), undefined)
      assert.equal(text(await vault.read('b')), 'new')
    },
  },
  {
    promise: 'a conversation keeps its first contact, in its own account, until it is forgotten',
    async check({ conversations }) {
      await conversations.remember(
        one,
        new Map([
          ['1', '10'],
          ['2', '20'],
        ]),
      )
      await conversations.remember(one, new Map([['1', '11']]))
      await conversations.remember(other, new Map([['1', '12']]))
      assert.deepEqual([...(await conversations.recall(one, ['1', '2', '3']))].sort(), [
        ['1', '10'],
        ['2', '20'],
      ])
      assert.deepEqual([...(await conversations.recall(other, ['1', '2']))], [['1', '12']])
      assert.deepEqual(await conversations.of(one, '10'), ['1'])
      await conversations.forget(one, '10')
      assert.deepEqual([...(await conversations.recall(one, ['1', '2']))], [['2', '20']])
      assert.deepEqual(await conversations.of(other, '12'), ['1'])
    },
  },
  {
    promise:
      'what is learnt of a conversation under a lease is kept while the lease is its holder’s, and not after that',
    async check(storage) {
      const { conversations } = storage
      await append(storage, [arrival(), arrival({ state: 'asking' })])
      for (const lane of ['send', 'ask'] as const) {
        const lease = await claimed(storage, lane)
        await conversations.remember(one, new Map([[`${lane} 1`, '10']]), lease)
        await storage.inbox.take(one, [])
        await conversations.remember(one, new Map([[`${lane} 2`, '10']]), lease)
        assert.deepEqual([...(await conversations.recall(one, [`${lane} 1`, `${lane} 2`])).keys()], [`${lane} 1`])
      }
    },
  },
  {
    promise: 'audit entries are kept in order, each with its account',
    async check({ audit }) {
      await audit.add({ at: 1, org: one, who: 'command line', what: 'paused' })
      await audit.add({ at: 1, org: one, who: 'console', what: 'resumed', about: 'why' })
      await audit.add({ at: 2, org: other, who: 'console', what: 'paused' })
      assert.deepEqual(await audit.list(one, 10), [
        { at: 1, org: one, who: 'console', what: 'resumed', about: 'why' },
        { at: 1, org: one, who: 'command line', what: 'paused' },
      ])
      assert.equal((await audit.list(one, 1)).length, 1)
      const told = async (only: object) => (await audit.list(one, 10, only)).map(({ what }) => what)
      assert.deepEqual(await told({ what: ['paused', 'other'] }), ['paused'])
      assert.deepEqual(await told({ what: [] }), [])
      await audit.add({ at: 5, org: one, who: 'console', what: 'paused' })
      assert.deepEqual(await told({ from: 5 }), ['paused'])
      assert.deepEqual(await told({ to: 5, what: ['resumed'] }), ['resumed'])
    },
  },
]
