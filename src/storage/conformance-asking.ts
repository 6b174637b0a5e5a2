/** What every engine promises of entries that Drift must be asked about, and of accounts that are not installed. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  conserved,
  idle,
  nothingDue,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import { type Destination, sendLane } from './ports/entry.ts'
import type { Lease } from './ports/inbox.ts'

export const askingPromises: readonly Promised[] = [
  {
    promise:
      'what needs a lookup moves to the ask lane, blocks no other, and takes the last place in the queue when it comes back',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival()])
      const lease = await claimed(storage)
      const [first, second] = lease.entries
      await storage.inbox.settle(lease, [to(first!.id, 'asking', { conversation: '77' })], idle)
      assert.equal((await claimed(storage, 'send', { limit: 1 })).entries[0]?.messageId, second?.messageId)
      const asking = await claimed(storage, 'ask')
      assert.deepEqual(
        asking.entries.map(({ messageId }) => messageId),
        [first!.messageId],
      )
      const known = Buffer.from('sealed answer')
      await storage.inbox.settle(asking, [to(first!.id, 'waiting', { contact: '9', known })], idle)
      await append(storage, [arrival()])
      await storage.inbox.resume(sendLane(one), 2_000)
      const line = await claimed(storage, 'send', { now: 99_000 })
      const place = line.entries.findIndex(({ id }) => id === first!.id)
      assert.equal(place, line.entries.length - 2, 'behind those before it, before those after it')
      assert.ok(Buffer.from(line.entries[place]!.known!).equals(known))
    },
  },
  {
    promise:
      'an entry that two destinations ask about is handed out once, and goes on at both with what was learnt of it',
    async check(storage) {
      const { inbox } = storage
      const both: readonly Destination[] = [1, 2]
      for (const destination of both) await inbox.addDestination(one, destination)
      await append(storage, [arrival(), arrival()])
      const { leases } = await inbox.claim('send', {
        now: 2_000,
        leaseMs: 60_000,
        limit: 9,
        bytesMax: 1_000_000,
        room: 8,
      })
      assert.equal(leases.length, both.length)
      for (const lease of leases) {
        const asking = lease.entries.map(({ id }) => to(id, 'asking', { conversation: '77' }))
        await inbox.settle(lease, asking, idle)
      }
      const lease = await claimed(storage, 'ask')
      const ids = lease.entries.map(({ id }) => id)
      assert.deepEqual([ids.length, new Set(ids).size, lease.bodies.length], [2, 2, 2])
      const known = Buffer.from('sealed answer')
      const answers = [to(ids[0]!, 'waiting', { contact: '9', known }), to(ids[1]!, 'asking', { dueAt: 5_000, known })]
      assert.equal(await inbox.settle(lease, answers, idle), true)
      for (const destination of both) {
        const sending = await claimed(storage, 'send', { now: 3_000 })
        assert.deepEqual([sending.destination, sending.entries.map(({ id }) => id)], [destination, [ids[0]]])
      }
      const again = await claimed(storage, 'ask', { now: 5_000 })
      assert.deepEqual(
        again.entries.map(({ id, failures }) => [id, failures]),
        [[ids[1], 1]],
      )
      await conserved(storage)
    },
  },
  {
    promise: 'what asks again waits until it is due, counts how often, and the lane says when',
    async check(storage) {
      await append(storage, [arrival({ state: 'asking' }), arrival({ state: 'asking', dueAt: 0 })])
      const lease = await claimed(storage, 'ask')
      assert.equal(lease.entries.length, 2)
      const [urgent, usual] = lease.entries
      assert.ok(urgent!.id > usual!.id, 'what is due first comes first')
      await storage.inbox.settle(
        lease,
        [to(urgent!.id, 'ignored'), to(usual!.id, 'asking', { dueAt: 5_000, reason: 'missing' })],
        idle,
      )
      await nothingDue(storage, 4_999)
      assert.equal(await storage.inbox.nextDue('ask'), 5_000)
      assert.equal((await claimed(storage, 'ask', { now: 5_000 })).entries[0]?.failures, 1)
    },
  },
  {
    promise: 'what asks again is listed with the last answer about it, apart from what has had none',
    async check(storage) {
      await append(storage, [arrival({ state: 'asking' }), arrival({ state: 'asking' })])
      const { entries, ...lease } = await claimed(storage, 'ask')
      const again = to(entries[0]!.id, 'asking', { dueAt: 5_000, reason: 'missing' })
      await storage.inbox.settle(
        { ...lease, entries },
        [again, to(entries[1]!.id, 'asking', { reason: 'asking' })],
        idle,
      )
      const listed = (await storage.ledger.backlog()).map(({ state, reason, lookupReason, count }) => [
        state,
        reason,
        lookupReason,
        count,
      ])
      assert.deepEqual(listed.sort(), [
        ['asking', undefined, undefined, 1],
        ['asking', undefined, 'missing', 1],
      ])
    },
  },
  {
    promise:
      'what comes to ask is due at once, though another of its account waits for a later time; a backoff it awaits',
    async check(storage) {
      const ends = async (lease: Lease, failures: number) => {
        const later = lease.entries.map(({ id }) => to(id, 'asking', { dueAt: 9_000, reason: 'missing' }))
        await storage.inbox.settle(lease, later, { readyAt: failures > 0 ? 8_000 : 2_000, failures })
      }
      await append(storage, [arrival({ state: 'asking' })])
      await ends(await claimed(storage, 'ask'), 0)
      const fresh = arrival({ state: 'asking', receivedAt: 2_500 })
      await append(storage, [fresh])
      assert.equal(await storage.inbox.nextDue('ask'), 2_500)
      const lease = await claimed(storage, 'ask', { now: 2_500 })
      assert.deepEqual(
        lease.entries.map(({ messageId }) => messageId),
        [fresh.messageId],
      )
      await ends(lease, 1)
      await append(storage, [arrival({ state: 'asking', receivedAt: 3_000 })])
      await nothingDue(storage, 7_999)
    },
  },
  {
    promise:
      'entries of an account that is not installed wait apart, are claimed on install with their counts, and are then sent',
    async check(storage) {
      await append(storage, [
        arrival({ state: 'unclaimed', reason: 'not_installed' }),
        arrival({ state: 'unclaimed', org: other }),
      ])
      await nothingDue(storage)
      assert.equal(await total(storage, 'received', ''), 2)
      assert.deepEqual(await storage.inbox.waitingForInstall([one, '404']), [one])
      assert.equal(await storage.inbox.claimOnInstall(one, 2_000), 1)
      assert.deepEqual(await storage.inbox.waitingForInstall([one, '404']), [])
      assert.equal(await total(storage, 'received', ''), 1)
      assert.equal(await total(storage, 'received'), 1)
      assert.equal((await claimed(storage)).entries.length, 1)
      await nothingDue(storage)
      await conserved(storage)
    },
  },
]
