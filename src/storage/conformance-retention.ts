/** What every engine promises of taking away: what has outlived its time, and what is erased. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  conserved,
  idle,
  keepAll,
  nothingDue,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import { all, idsOf, variety } from './conformance-lookup.ts'
import type { Install } from './ports/accounts.ts'
import { sendLane } from './ports/entry.ts'

export const retentionPromises: readonly Promised[] = [
  {
    promise: 'what has outlived its time is taken away and counted, and nothing else is',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ state: 'quarantined' }), arrival({ state: 'unclaimed' })])
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered'), to(lease.entries[1]!.id, 'dead')], idle)
      assert.equal(
        (
          await storage.inbox.expire({
            ...keepAll,
            deliveredBefore: 2_000,
            failedBefore: 1_000,
            notInstalledBefore: 1_000,
          })
        ).removed,
        0,
      )
      assert.equal((await storage.inbox.expire({ ...keepAll, notInstalledBefore: 1_001 })).removed, 1)
      assert.equal(await total(storage, 'expired', ''), 1)
      assert.equal((await storage.inbox.expire({ ...keepAll, deliveredBefore: 2_001 })).removed, 1)
      assert.equal(await total(storage, 'delivered'), 1)
      assert.equal((await storage.inbox.expire({ ...keepAll, failedBefore: 1_001 })).removed, 2)
      assert.deepEqual([await total(storage, 'dead'), await total(storage, 'expired')], [1, 1])
      assert.deepEqual(await storage.ledger.backlog(), [])
      await conserved(storage)
    },
  },
  {
    promise: 'what is dead or quarantined for a reason that is kept stays, however old; the rest goes',
    async check(storage) {
      const reasons = ['kept', 'kept', 'another', undefined]
      await append(
        storage,
        reasons.map((reason) => arrival({ state: 'quarantined', ...(reason === undefined ? {} : { reason }) })),
      )
      const limits = { ...keepAll, failedBefore: 1e15, kept: ['kept', 'unheard of'] }
      assert.equal((await storage.inbox.expire(limits)).removed, 2)
      assert.equal((await storage.inbox.expire(limits)).removed, 0)
      const { entries } = await storage.lookup.find({ org: one }, { limit: 9 })
      assert.deepEqual(
        entries.map(({ reason }) => reason),
        ['kept', 'kept'],
      )
      await conserved(storage)
      assert.equal((await storage.inbox.expire({ ...limits, kept: [] })).removed, 2)
    },
  },
  {
    promise: 'entries of accounts that are not installed go when they have too many bytes in all, the oldest first',
    async check(storage) {
      const notInstalled = Array.from({ length: 4 }, () => arrival({ state: 'unclaimed', sealed: Buffer.alloc(100) }))
      await append(storage, notInstalled)
      assert.equal((await storage.inbox.expire({ ...keepAll, notInstalledBytesMax: 200 })).removed, 2)
      await storage.inbox.claimOnInstall(one, 2_000)
      const { entries } = await claimed(storage)
      assert.deepEqual(
        entries.map(({ messageId }) => messageId),
        notInstalled.slice(2).map(({ messageId }) => messageId),
      )
      await conserved(storage)
    },
  },
  {
    promise: 'identities are forgotten when their time has come, and not before',
    async check(storage) {
      const first = arrival({ rememberMs: 500 })
      await append(storage, [first])
      await storage.inbox.expire({ ...keepAll, now: 1_499 })
      assert.deepEqual(await append(storage, [{ ...arrival(), identity: first.identity }]), ['duplicate'])
      await storage.inbox.expire({ ...keepAll, now: 1_500 })
      assert.deepEqual(await append(storage, [{ ...arrival(), identity: first.identity }]), ['stored'])
    },
  },
  {
    promise: 'an erased account leaves nothing but its counts, takes its leases with it, and touches no other',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      await storage.conversations.remember(one, new Map([['1', '2']]))
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')])
      while ((await storage.inbox.erase(one)) > 0);
      assert.equal(await storage.inbox.settle(lease, [to(lease.entries[1]!.id, 'delivered')], idle), false)
      assert.deepEqual([await total(storage, 'delivered'), await total(storage, 'expired')], [1, 1])
      assert.equal((await storage.conversations.recall(one, ['1'])).size, 0)
      assert.equal((await claimed(storage)).org, other)
      await conserved(storage)
    },
  },
  {
    promise: 'what has come for an account that is connected is not erased, though its departure is still being erased',
    async check(storage) {
      const install: Install = {
        org: one,
        state: 'disconnected',
        settings: '',
        createdAt: 1,
        updatedAt: 1,
        generation: 0,
      }
      await storage.installs.save(install)
      await append(storage, [arrival()])
      while ((await storage.inbox.erase(one)) > 0);
      assert.equal(await total(storage, 'expired'), 1)
      await storage.installs.save({ ...install, state: 'live', generation: 1 })
      await append(storage, [arrival()])
      assert.equal(await storage.inbox.erase(one), 0)
      assert.equal((await claimed(storage)).entries.length, 1)
    },
  },
  {
    promise:
      'taking any entries away ends every lease of the account: its holder goes on with nothing, no crash is counted, and what is left is claimed at once',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const [state, org] = [lane === 'send' ? 'waiting' : 'asking', `${one}${lane}`] as const
        await append(
          storage,
          [1, 2, 3].map(() => arrival({ org, state })),
        )
        const lease = await claimed(storage, lane, { limit: 2 })
        const [gone, kept] = lease.entries.map(({ id }) => id)
        assert.equal(await storage.inbox.take(org, [gone!]), 1)
        assert.equal(await storage.inbox.renew(lease, 99_000), false)
        assert.deepEqual((await storage.inbox.more(lease, 0, { limit: 9, bytesMax: 1e6 })).entries, [])
        assert.equal(await storage.inbox.settle(lease, [to(kept!, 'delivered')], idle), false)
        const next = await claimed(storage, lane, { limit: 9 })
        assert.deepEqual([next.crashes, next.entries.length, next.entries[0]?.id], [0, 2, kept])
        await storage.inbox.settle(next, [], idle)
      }
    },
  },
  {
    promise:
      "taking entries away leaves another account's leases alone, and a lane's hold, what blocks it and its backoff",
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 7_000, failures: 3, blocked: 'key_refused' })
      const theirs = await claimed(storage)
      await storage.inbox.take(one, [])
      assert.equal(await storage.inbox.renew(theirs, 9_000), true)
      assert.equal(await storage.inbox.nextDue('send'), 7_000)
      const probe = await claimed(storage, 'send', { now: 7_000 })
      assert.deepEqual([probe.org, probe.failures, probe.blocked], [one, 3, 'key_refused'])
      await storage.inbox.hold(sendLane(one), 'paused')
      await storage.inbox.take(one, [])
      await nothingDue(storage, 8_000)
    },
  },
  {
    promise: 'entries taken away are gone whatever their state, are not found any more, and are counted',
    async check(storage) {
      await variety(storage)
      const mine = (await all(storage, { org: one, contact: '7' })).map(({ id }) => id)
      const [theirs] = await all(storage, { org: other })
      const waiting = (await all(storage, { org: one, type: 'a_event' })).map(({ id }) => id)
      assert.equal(await storage.inbox.take(one, [...mine, ...waiting, theirs!.id]), 3)
      assert.equal(await storage.inbox.take(one, mine), 0)
      assert.deepEqual(await all(storage, { org: one, contact: '7' }), [])
      assert.equal((await all(storage, { org: one })).length, 3)
      assert.equal((await all(storage, { org: other })).length, 1)
      assert.equal(await total(storage, 'expired'), 1)
      await conserved(storage)
    },
  },
  {
    promise: 'what is gone is found by nothing any more',
    async check(storage) {
      const [a] = await variety(storage)
      assert.equal((await idsOf(storage, { org: one, contact: '7' })).length, 2)
      await storage.inbox.expire({ ...keepAll, deliveredBefore: 3_000 })
      assert.deepEqual(await all(storage, { message: a! }), [])
      while ((await storage.inbox.erase(one)) > 0);
      for (const query of [{ org: one }, { org: one, contact: '7' }, { org: one, conversation: '71' }])
        assert.deepEqual(await all(storage, query), [])
    },
  },
]
