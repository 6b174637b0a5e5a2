/** What every engine promises of a lane: when it is due, what holds or blocks it. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, nothingDue, one, other, type Promised, to } from './conformance.ts'
import { askLane, sendLane } from './ports/entry.ts'

export const lanePromises: readonly Promised[] = [
  {
    promise:
      'a lane rests until the time its lease ended with, and says when that is; what arrives meanwhile waits too',
    async check(storage) {
      assert.equal(await storage.inbox.nextDue('send'), undefined)
      await append(storage, [arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 7_000, failures: 3 })
      await append(storage, [arrival()])
      assert.equal(await storage.inbox.nextDue('send'), 7_000)
      await nothingDue(storage, 6_999)
      const lease = await claimed(storage, 'send', { now: 7_000 })
      assert.equal(lease.failures, 3)
      assert.equal(lease.entries.length, 2)
    },
  },
  {
    promise:
      'a lane that ended well rests until then, or until something arrives; within a Retry-After what arrives waits too',
    async check(storage) {
      await append(storage, [arrival(), arrival({ org: other })])
      for (let n = 0; n < 2; n++) {
        const lease = await claimed(storage)
        const asked = lease.org === other ? { retryAfterAt: 7_000 } : {}
        await storage.inbox.settle(lease, [], { readyAt: 7_000, failures: 0, ...asked })
      }
      await append(storage, [arrival({ org: other, receivedAt: 2_000 })])
      await nothingDue(storage, 2_000)
      await append(storage, [arrival({ receivedAt: 2_000 })])
      assert.equal((await claimed(storage, 'send', { now: 2_000 })).org, one)
      await nothingDue(storage, 6_999)
      assert.equal((await claimed(storage, 'send', { now: 7_000 })).org, other)
    },
  },
  {
    promise:
      'a blocked account is claimed one entry at a time, shows what blocks it, and is well when an ending says so',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 3_000, failures: 1, blocked: 'key_refused' })
      assert.deepEqual(
        (await storage.ledger.backlog()).map(({ reason }) => reason),
        ['key_refused'],
      )
      const probe = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(probe.entries.length, 1)
      assert.equal(probe.blocked, 'key_refused')
      await storage.inbox.settle(probe, [], { readyAt: 3_000, failures: 0 })
      const well = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(well.entries.length, 2)
      assert.equal(well.blocked, undefined)
    },
  },
  {
    promise: 'a held lane is not claimed, keeps what it has and takes what comes, until it is resumed',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.hold(sendLane(one), 'paused')
      await append(storage, [arrival(), arrival({ org: other })])
      assert.equal((await claimed(storage)).org, other)
      await nothingDue(storage)
      const held = (await storage.ledger.backlog()).find(({ org }) => org === one)
      assert.deepEqual([held?.reason, held?.count, held?.oldestReceivedAt], ['paused', 2, 1_000])
      await storage.inbox.resume(sendLane(one), 2_000)
      assert.equal((await claimed(storage)).entries.length, 2)
    },
  },
  {
    promise: 'a lane that nothing holds any more waits as it did before, and as blocked',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 9_000, failures: 5, blocked: 'key_refused' })
      await storage.inbox.hold(sendLane(one), 'paused')
      await nothingDue(storage)
      await storage.inbox.hold(sendLane(one), undefined)
      assert.equal(await storage.inbox.nextDue('send'), 9_000)
      const probe = await claimed(storage, 'send', { now: 9_000 })
      assert.deepEqual([probe.entries.length, probe.blocked, probe.failures], [1, 'key_refused', 5])
    },
  },
  {
    promise: 'many lanes follow their accounts at once: some are held, others resumed, and what waits in those is due',
    async check(storage) {
      const orgs = ['1', '2', '3', '4', '5']
      await append(
        storage,
        orgs.map((org) => arrival({ org })),
      )
      await append(storage, [arrival({ org: '1', state: 'asking', dueAt: 9_000 })])
      await storage.inbox.hold(sendLane('2'), 'paused')
      for (const blocked of ['key_refused', undefined]) {
        const lease = await claimed(storage)
        await storage.inbox.settle(lease, [], { readyAt: 99_000, failures: 3, ...(blocked && { blocked }) })
      }
      const reasons: Record<string, string> = { 4: 'paused', 6: 'no_key' }
      const lanes = [...orgs, '6', '7'].map((org) => {
        const [key, reason] = [sendLane(org), reasons[org]]
        return reason ? ({ ...key, is: { held: reason } } as const) : ({ ...key, is: 'resumed' } as const)
      })
      await storage.inbox.hold(askLane('7'), 'disconnected')
      const [due, free] = [{ ...askLane('1'), is: 'resumed' } as const, { ...askLane('7'), is: { held: undefined } }]
      await storage.inbox.follow([...lanes, due, free], 2_000)
      assert.equal((await storage.lookup.lanes('7')).find(({ lane }) => lane === 'ask')?.hold, undefined)
      const leases = [await claimed(storage), await claimed(storage), await claimed(storage), await claimed(storage)]
      assert.deepEqual(
        leases.map(({ org, blocked, failures }) => [org, blocked, failures]).sort(),
        ['1', '2', '3', '5'].map((org) => [org, undefined, 0]),
      )
      await append(storage, [arrival({ org: '6' })])
      await nothingDue(storage)
      assert.deepEqual(await storage.inbox.nextDue('ask'), 9_000)
      const held = (await storage.ledger.backlog()).filter(({ reason }) => reason !== undefined)
      assert.deepEqual(held.map(({ org, reason }) => [org, reason]).sort(), [
        ['4', 'paused'],
        ['6', 'no_key'],
      ])
    },
  },
  {
    promise: 'resuming forgets what blocked a lane and its backoff',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 99_000, failures: 5, blocked: 'key_refused' })
      await storage.inbox.resume(sendLane(one), 2_000)
      const lease = await claimed(storage)
      assert.deepEqual([lease.failures, lease.blocked, lease.entries.length], [0, undefined, 2])
    },
  },
  {
    promise: 'a lane shows what holds or blocks it, and how and when it was tried last',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.settle(await claimed(storage), [], {
        readyAt: 5_000,
        failures: 2,
        tried: { at: 2_000, lastError: 'segment_503' },
      })
      const lane = async () => (await storage.lookup.lanes(one)).find((shown) => shown.lane === 'send')
      assert.deepEqual(await lane(), {
        lane: 'send',
        destination: 1,
        readyAt: 5_000,
        failures: 2,
        triedAt: 2_000,
        lastError: 'segment_503',
      })
      const lease = await claimed(storage, 'send', { now: 5_000 })
      assert.equal((await lane())?.leaseUntil, 65_000)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')], {
        readyAt: 5_000,
        failures: 0,
        tried: { at: 5_001 },
      })
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.deepEqual(await lane(), { lane: 'send', destination: 1, failures: 0, triedAt: 5_001, hold: 'paused' })
      assert.deepEqual(await storage.lookup.lanes(other), [])
    },
  },
]
