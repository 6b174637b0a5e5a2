/** What every engine promises of a claim that leases several accounts at once. */
import assert from 'node:assert/strict'
import {
  type Alone,
  append,
  appendAll,
  arrival,
  claimed,
  doneIn,
  idle,
  laneOf,
  one,
  other,
  type Promised,
  to,
} from './conformance.ts'
import type { Lane } from './ports/entry.ts'
import type { Inbox } from './ports/inbox.ts'
import type { Storage } from './ports/storage.ts'

const third = '7000999'
const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 100, bytesMax: 1_000_000, room: 8 }

const claim = (storage: Storage, lane: Lane = 'send', options: Partial<Parameters<Inbox['claim']>[1]> = {}) =>
  storage.inbox.claim(lane, { ...claimOptions, ...options })
const orgsOf = ({ leases }: Awaited<ReturnType<Inbox['claim']>>) => leases.map(({ org }) => org)

/** Three leases of the account end without a word; resolves to when the last has run out. */
async function crashThrice(storage: Storage): Promise<number> {
  for (let now = 2_000; now < 2_003; now++) await claimed(storage, 'send', { now, leaseMs: 1 })
  return 2_003
}

export const claimPromises: Promised[] = [
  {
    promise: 'an append names the lanes that had nothing due so soon, and no others',
    async check(storage) {
      const woken = async (...batch: Alone[]) => {
        const { woke } = await appendAll(storage, batch)
        return woke.map(({ org, lane }) => `${lane} ${org}`).toSorted()
      }
      const asking = { state: 'asking', org: other } as const
      const first = await woken(arrival(), arrival(), arrival(asking), arrival({ state: 'unclaimed' }))
      assert.deepEqual(first, [`ask ${other}`, `send ${one}`])
      assert.deepEqual(await woken(arrival(), arrival(asking)), [])
      const questions = await claimed(storage, 'ask')
      const later = questions.entries.map(({ id }) => to(id, 'asking', { dueAt: 9_000 }))
      await storage.inbox.settle(questions, later, idle)
      assert.deepEqual(await woken(arrival(asking)), [`ask ${other}`], 'it rested until a later lookup')
      const lease = await claimed(storage)
      assert.deepEqual(await woken(arrival()), [], 'it is leased')
      await storage.inbox.settle(lease, [], { readyAt: 7_000, failures: 1 })
      assert.deepEqual(await woken(arrival()), [], 'it backs off')
      const all = await claimed(storage, 'send', { now: 7_000 })
      await storage.inbox.settle(
        all,
        all.entries.map(({ id }) => to(id, 'delivered')),
        idle,
      )
      const both = await Promise.all([woken(arrival()), woken(arrival({ org: third }))])
      assert.deepEqual(both, [[`send ${one}`], [`send ${third}`]])
    },
  },
  {
    promise:
      'a claim leases as many accounts as there is room for, the one served longest ago first, and each by itself',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const state = lane === 'send' ? 'waiting' : 'asking'
        for (const org of [one, other, third]) await append(storage, [arrival({ org, state })])
        for (const _ of [one, other, third])
          await storage.inbox.settle(await claimed(storage, lane), [], { ...idle, readyAt: 2_000 })
        const turns = orgsOf(await claim(storage, lane))
        assert.deepEqual([...turns].sort(), [one, other, third])
        const { leases } = await claim(storage, lane, { now: 99_000, room: 2 })
        assert.deepEqual(orgsOf({ leases }), turns.slice(0, 2))
        for (const { org, entries } of leases) assert.ok(entries.length === 1 && entries.every((e) => e.org === org))
        assert.deepEqual(orgsOf(await claim(storage, lane, { now: 99_000 })), turns.slice(2))
        const [first, second] = leases
        await storage.inbox.settle(first!, [to(first!.entries[0]!.id, doneIn[lane])], idle)
        assert.equal(await storage.inbox.renew(second!, 200_000), true)
        assert.deepEqual(orgsOf(await claim(storage, lane, { now: 159_001 })), turns.slice(2))
      }
    },
  },
  {
    promise: 'each lease of a claim has entries in order up to the limits, whatever the others have',
    async check(storage) {
      const sealed = new Uint8Array(1_000)
      const line = Array.from({ length: 5 }, () => arrival({ sealed }))
      await append(storage, [...line, arrival({ org: other, sealed }), arrival({ org: other, sealed })])
      const said = async (options: object) => {
        const { leases } = await claim(storage, 'send', { leaseMs: 1, ...options })
        return Object.fromEntries(leases.map(({ org, entries }) => [org, entries.map(({ messageId }) => messageId)]))
      }
      const few = await said({ limit: 3 })
      assert.deepEqual(
        few[one],
        line.slice(0, 3).map(({ messageId }) => messageId),
      )
      assert.equal(few[other]!.length, 2)
      const small = await said({ now: 3_000, bytesMax: 1_500 })
      assert.deepEqual([small[one]!.length, small[other]!.length], [1, 1])
    },
  },
  {
    promise:
      'a claim that has room for more says when the next is due, beside what it gives and what its holder works on',
    async check(storage) {
      const holder = { id: 'a', busy: [laneOf(third)] }
      assert.equal((await claim(storage)).nextDue, undefined)
      for (const org of [one, other, third]) await append(storage, [arrival({ org })])
      const first = await claimed(storage, 'send', { holder })
      await storage.inbox.settle(first, [], { readyAt: 7_000, failures: 0 })
      const { leases, nextDue } = await claim(storage, 'send', { holder })
      assert.deepEqual([leases.length, nextDue], [1, 7_000])
      const later = await claim(storage, 'send', { holder: { id: 'a', busy: [laneOf(third), leases[0]!] }, now: 6_999 })
      assert.deepEqual([later.leases.length, later.nextDue], [0, 7_000])
      assert.equal(
        (await claim(storage, 'send', { holder: { id: 'b', busy: [laneOf(third)] }, now: 7_000 })).nextDue,
        62_000,
      )
    },
  },
  {
    promise: 'an account is leased by itself after three crashes, and those behind it in turn wait for the next claim',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const now = await crashThrice(storage)
      await append(storage, [arrival({ org: other }), arrival({ org: third })])
      const before = await claim(storage, 'send', { now, leaseMs: 1 })
      assert.deepEqual([orgsOf(before).toSorted(), before.nextDue], [[other, third], now])
      const suspect = await claim(storage, 'send', { now })
      assert.deepEqual([orgsOf(suspect), suspect.leases[0]!.crashes, suspect.leases[0]!.entries.length], [[one], 3, 1])
      assert.ok(suspect.nextDue! <= now + 1)
      assert.deepEqual(orgsOf(await claim(storage, 'send', { now: now + 1 })).toSorted(), [other, third])
    },
  },
  {
    promise: 'a probe is one entry beside the whole leases of others, and a line found empty takes no room from them',
    async check(storage) {
      for (const org of [one, other, third]) await append(storage, [arrival({ org }), arrival({ org })])
      const { leases } = await claim(storage)
      for (const lease of leases) {
        const blocked = lease.org === one ? { blocked: 'key_refused', failures: 1 } : {}
        await storage.inbox.settle(lease, [], { ...idle, ...blocked })
      }
      const lane = leases.find(({ org }) => org === other)!
      await storage.inbox.take(
        other,
        lane.entries.map(({ id }) => id),
      )
      const again = await claim(storage, 'send', { room: 2 })
      assert.deepEqual(again.leases.map(({ org, entries }) => [org, entries.length]).toSorted(), [
        [one, 1],
        [third, 2],
      ])
    },
  },
  {
    promise: 'all leases of a claim whose answer was lost are given to their holder at once, under new tokens',
    async check(storage) {
      for (const org of [one, other]) await append(storage, [arrival({ org })])
      const lost = await claim(storage, 'send', { holder: { id: 'a', busy: [] } })
      const again = await claim(storage, 'send', { holder: { id: 'a', busy: [] } })
      assert.deepEqual(orgsOf(again), orgsOf(lost))
      assert.ok(again.leases.every(({ crashes }) => crashes === 0))
      for (const lease of lost.leases) assert.equal(await storage.inbox.settle(lease, [], idle), false)
      for (const lease of again.leases) assert.equal(await storage.inbox.settle(lease, [], idle), true)
    },
  },
]
