/** What every engine promises of its counts: they add up, at every moment, and say what happened when. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  claimOne,
  claimOptions,
  conserved,
  idle,
  ignored,
  keepAll,
  one,
  other,
  type Promised,
  to,
} from './conformance.ts'
import { all } from './conformance-lookup.ts'
import type { IgnoredReason, Lane } from './ports/entry.ts'
import type { Settlement } from './ports/inbox.ts'

const minute = 60_000
const hour = 60 * minute

export const ledgerPromises: readonly Promised[] = [
  {
    promise: 'a sound store has no findings, whatever was kept, delivered and erased in it',
    async check(storage) {
      assert.deepEqual(await storage.examine(), [])
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      assert.deepEqual(await storage.examine(), [])
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')], { readyAt: 1, failures: 0 })
      await storage.inbox.erase(other)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'totals and backlog are read at one time: they add up while others append and settle',
    async check(storage) {
      let done = false
      const writing = (async () => {
        for (let round = 0; round < 40; round++) {
          await Promise.all([append(storage, [arrival(), arrival()]), append(storage, [arrival()])])
          const lease = await claimed(storage)
          await storage.inbox.settle(
            lease,
            lease.entries.map(({ id }) => to(id, 'delivered')),
            { readyAt: 0, failures: 0 },
          )
        }
      })().finally(() => (done = true))
      do await conserved(storage)
      while (!done)
      await writing
    },
  },
  {
    promise: 'what is ignored is counted by type and reason, on arrival and when it is settled, each account’s apart',
    async check(storage) {
      const reasons: IgnoredReason[] = ['switched_off', 'switched_off', 'unknown_type', 'disconnected', 'not_allowed']
      await append(storage, [
        ...reasons.map((reason) => ignored({ reason })),
        ignored({ type: 'an_event' }),
        ignored({ org: other }),
        arrival(),
        arrival({ type: 'b_event' }),
        arrival(),
      ])
      const lease = await claimed(storage)
      const [a, b, c] = lease.entries.map(({ id }) => id)
      await storage.inbox.settle(
        lease,
        [to(a!, 'ignored'), to(b!, 'ignored', { reason: 'disconnected' }), to(c!, 'dead', { reason: 'empty' })],
        idle,
      )
      const told = (await storage.ledger.totals())
        .filter(({ outcome }) => outcome !== 'received' && outcome !== 'taken')
        .map(({ org, type, outcome, reason, count }) => `${org} ${type} ${outcome} ${reason} ${count}`)
      assert.deepEqual(told.sort(), [
        `${one} an_event ignored empty 1`,
        `${one} an_event ignored switched_off 1`,
        `${one} b_event ignored disconnected 1`,
        `${one} other ignored disconnected 1`,
        `${one} other ignored not_allowed 1`,
        `${one} other ignored switched_off 2`,
        `${one} other ignored unknown_type 1`,
        `${other} other ignored switched_off 1`,
      ])
      await conserved(storage)
    },
  },
  {
    promise: 'time buckets say what happened when, by the minute, later by the hour, until their time is over',
    async check(storage) {
      const at = 10 * hour
      const arrivals = [0, 1, minute, hour].map((after) => arrival({ receivedAt: at + after }))
      const odd = arrival({ receivedAt: at, state: 'quarantined', type: 'odd' })
      await append(storage, [...arrivals, odd, arrival({ org: other, receivedAt: at })])
      const lease = await claimed(storage, 'send', { now: at + hour, limit: 2 })
      const [first, second] = lease.entries
      await storage.inbox.settle(lease, [
        to(first!.id, 'delivered', { at: at + minute }),
        to(second!.id, 'dead', { at: at + minute }),
      ])
      const told = async (from: number, until: number) =>
        (await storage.ledger.timeBuckets(one, from, until))
          .map((bucket) => `${(bucket.at - at) / minute} ${bucket.type} ${bucket.outcome} ${bucket.count}`)
          .sort()
      const fine = [
        '0 an_event received 2',
        '0 odd failed 1',
        '0 odd received 1',
        '1 an_event delivered 1',
        '1 an_event failed 1',
        '1 an_event received 1',
        '60 an_event received 1',
      ]
      assert.deepEqual(await told(0, at + 2 * hour), fine)
      assert.deepEqual(await told(at + minute, at + hour), fine.slice(3, 6))
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + minute })
      assert.deepEqual(await told(0, at + 2 * hour), fine)
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      assert.deepEqual(await told(0, at + 2 * hour), [
        '0 an_event delivered 1',
        '0 an_event failed 1',
        '0 an_event received 3',
        '0 odd failed 1',
        '0 odd received 1',
        '60 an_event received 1',
      ])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour, hoursBefore: at + hour })
      assert.deepEqual(await told(0, at + 2 * hour), ['60 an_event received 1'])
    },
  },
  {
    promise:
      'time buckets say what was ignored, why, and what was a duplicate, by the minute, later by the hour, until their time is over',
    async check(storage) {
      const at = 10 * hour
      const twice = arrival({ receivedAt: at, rememberMs: 9 * hour })
      const again = (receivedAt: number) => ({ ...twice, receivedAt })
      await append(storage, [
        ignored({ receivedAt: at, reason: 'switched_off', type: 'an_event' }),
        ignored({ receivedAt: at + 1, reason: 'switched_off', type: 'an_event' }),
        ignored({ receivedAt: at + 1, reason: 'unknown_type' }),
        ignored({ receivedAt: at + 1, org: other }),
        ignored({ receivedAt: at + minute, reason: 'switched_off', type: 'an_event' }),
        twice,
        again(at + minute),
        again(at + hour),
        // Of accounts that are not installed nothing is counted by account.
        arrival({ org: 'new', state: 'unclaimed', identity: Buffer.from('a'.repeat(16)), receivedAt: at }),
        arrival({ org: 'new', state: 'unclaimed', identity: Buffer.from('a'.repeat(16)), receivedAt: at }),
      ])
      const lease = await claimed(storage, 'send', { now: at })
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'ignored', { at: at + minute })], idle)
      const told = async (org = one) =>
        (await storage.ledger.timeBuckets(org, 0, at + 2 * hour))
          .filter(({ outcome }) => outcome === 'ignored' || outcome === 'duplicate')
          .map((each) => `${(each.at - at) / minute} ${each.type} ${each.outcome} ${each.reason} ${each.count}`)
          .sort()
      const fine = [
        '0 an_event ignored switched_off 2',
        '0 other ignored unknown_type 1',
        '1 an_event duplicate undefined 1',
        '1 an_event ignored empty 1',
        '1 an_event ignored switched_off 1',
        '60 an_event duplicate undefined 1',
      ]
      assert.deepEqual(await told(), fine)
      assert.deepEqual(await told(''), ['0 an_event duplicate undefined 1'])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + minute })
      assert.deepEqual(await told(), fine)
      for (let round = 0; round < 2; round++) await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      assert.deepEqual(await told(), [
        '0 an_event duplicate undefined 1',
        '0 an_event ignored empty 1',
        '0 an_event ignored switched_off 3',
        '0 other ignored unknown_type 1',
        '60 an_event duplicate undefined 1',
      ])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour, hoursBefore: at + hour })
      assert.deepEqual(await told(), ['60 an_event duplicate undefined 1'])
    },
  },
  {
    promise: 'the law of conservation holds after any walk',
    async check(storage) {
      let seed = 7
      const chance = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647
        return seed % below
      }
      const states: Record<Lane, Settlement['to'][]> = {
        send: ['delivered', 'dead', 'quarantined', 'ignored', 'same', 'asking'],
        ask: ['waiting', 'dead', 'quarantined', 'ignored', 'asking'],
      }
      for (let now = 2_000; now < 2_120; now++) {
        const org = chance(2) === 0 ? one : other
        const state = (['waiting', 'asking', 'unclaimed', 'quarantined'] as const)[chance(4)]!
        await append(storage, [arrival({ org, state, receivedAt: now }), ignored({ org, receivedAt: now })])
        const lane = chance(2) === 0 ? 'send' : 'ask'
        const lease = await claimOne(storage.inbox, lane, { ...claimOptions, now, limit: 3, leaseMs: 2 })
        const settlements = (lease?.entries ?? []).map(({ id }) =>
          to(id, states[lane][chance(states[lane].length)]!, { at: now }),
        )
        if (lease && chance(4) > 0)
          await storage.inbox.settle(lease, settlements, { readyAt: now + chance(3), failures: 0 })
        if (chance(10) === 0) await storage.inbox.claimOnInstall(org, now)
        if (chance(15) === 0)
          await storage.inbox.expire({ ...keepAll, now, deliveredBefore: now, failedBefore: now - 5 })
        if (chance(40) === 0) await storage.inbox.erase(org)
        await conserved(storage)
      }
    },
  },
  {
    promise: 'the law of conservation holds while entries are driven again and taken away',
    async check(storage) {
      const states = ['delivered', 'dead', 'quarantined'] as const
      for (let round = 0; round < 30; round++) {
        await append(storage, [arrival({ receivedAt: 2_000 }), arrival({ state: 'quarantined' })])
        const lease = await claimed(storage, 'send', { now: 3_000, limit: 3 })
        await storage.inbox.settle(
          lease,
          lease.entries.map(({ id }, at) => to(id, states[(at + round) % 3]!)),
          idle,
        )
        const failing = await all(storage, { org: one, states: [states[round % 3]!] })
        await storage.inbox.redrive(
          failing.slice(0, 2).map(({ id }) => ({ id })),
          3_000,
          'an admin',
        )
        if (round % 7 === 0)
          await storage.inbox.take(
            one,
            failing.map(({ id }) => id),
          )
        await conserved(storage)
      }
    },
  },
]
