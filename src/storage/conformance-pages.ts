/** What every engine must prove of lists and numbers of an account in which much waits, came back, or was read at Drift. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, idle, one, other, type Promised, to } from './conformance.ts'
import { sendLane } from './ports/entry.ts'
import type { Cursor, Query } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'
import { waitingBy } from './waiting.ts'

const minute = 60_000
const all = { from: 0, to: 100 * minute }

async function idsOf(storage: Storage, query: Query, limit = 100): Promise<string[]> {
  const found: string[] = []
  let next: Cursor | undefined
  do {
    const page = await storage.lookup.find(query, { limit, ...(next ? { before: next } : {}) })
    found.push(...page.entries.map(({ messageId }) => messageId))
    next = page.next
  } while (next)
  return found
}

async function toldOf(storage: Storage, query: Omit<Query, 'org'> = {}): Promise<string[]> {
  const { rows } = await storage.lookup.tally({ ...query, org: one })
  return rows.map(({ state, count }) => `${count} ${state}`).sort()
}

/** Twelve events; the second, fifth, … are dead, the third, sixth, … delivered, and the rest waits. */
async function dozen(storage: Storage): Promise<string[]> {
  const arrivals = Array.from({ length: 12 }, (_, at) => arrival({ receivedAt: at * minute }))
  await append(storage, arrivals)
  const lease = await claimed(storage, 'send', { now: 20 * minute })
  const settlements = lease.entries.flatMap(({ id }, at) =>
    at % 3 === 0 ? [] : [at % 3 === 1 ? to(id, 'dead', { reason: `odd-${at % 2}` }) : to(id, 'delivered')],
  )
  await storage.inbox.settle(lease, settlements, idle)
  return arrivals.map(({ messageId }) => messageId)
}

const nth = (messages: readonly string[], rest: number) => messages.filter((_, at) => at % 3 === rest).reverse()

export const pagePromises: readonly Promised[] = [
  {
    promise: 'what was read at Drift and waits behind the webhooks is listed and counted among what waits',
    async check(storage) {
      const read = arrival({ backfilled: true, waitsBehind: true, receivedAt: minute })
      const came = arrival({ receivedAt: 2 * minute })
      await append(storage, [read])
      await append(storage, [came, arrival({ org: other })])
      const wanted = [came.messageId, read.messageId]
      assert.deepEqual(await idsOf(storage, { org: one, states: ['waiting'] }), wanted)
      assert.deepEqual(await idsOf(storage, { org: one, states: ['waiting'] }, 1), wanted)
      assert.deepEqual(await toldOf(storage), ['2 waiting'])
      assert.deepEqual(await toldOf(storage, { states: ['waiting'] }), ['2 waiting'])
      const { open, backlog } = await storage.ledger.snapshot(one, all)
      assert.deepEqual([open.map(({ count }) => count), backlog.map(({ count }) => count)], [[2], [2]])
    },
  },
  {
    promise: 'what waits again is listed once, at its own place among what waits, in pages of any size',
    async check(storage) {
      const messages = await dozen(storage)
      const dead = await storage.lookup.find({ org: one, states: ['dead'] }, { limit: 2 })
      await storage.inbox.redrive(
        dead.entries.map(({ id }) => ({ id })),
        30 * minute,
        'an admin',
      )
      const back = nth(messages, 1).slice(0, 2)
      const waits = [...nth(messages, 0), ...back].sort((a, b) => messages.indexOf(b) - messages.indexOf(a))
      for (const limit of [1, 2, 3, 100])
        assert.deepEqual(await idsOf(storage, { org: one, states: ['waiting'] }, limit), waits)
      assert.deepEqual(await toldOf(storage), ['1 dead', '1 dead', '4 delivered', '6 waiting'])
      const { open } = await storage.ledger.snapshot(one, { from: 0, to: 10 * minute })
      assert.deepEqual(open.map(({ state, count }) => `${count} ${state}`).sort(), ['1 dead', '1 dead', '5 waiting'])
    },
  },
  {
    promise: 'a reason is found in whichever state it is, and one that holds a lane is of all that waits there',
    async check(storage) {
      const messages = await dozen(storage)
      const isOdd = (rest: number) => nth(messages, 1).filter((message) => messages.indexOf(message) % 2 === rest)
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'odd-1' }), isOdd(1))
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'odd-0', states: ['dead'] }, 1), isOdd(0))
      assert.deepEqual(await idsOf(storage, { org: one, states: ['dead'], notReason: 'odd-0' }), isOdd(1))
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'paused' }), [])
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'paused' }, 2), nth(messages, 0))
      assert.deepEqual(
        await idsOf(storage, { org: one, reason: 'paused', states: ['waiting', 'dead'] }),
        nth(messages, 0),
      )
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'odd-1', states: ['waiting', 'dead'] }), isOdd(1))
    },
  },
  {
    promise:
      'a look for one contact in some states finds each of its entries that has one of them, at each destination',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      const of = { contact: '7' }
      const sent = Array.from({ length: 6 }, () => arrival(of))
      await append(storage, [...sent, arrival({ ...of, state: 'asking' }), arrival({ ...of, state: 'quarantined' })])
      const lease = await claimed(storage, 'send', { now: minute })
      const [dead, ignored, again, delivered] = lease.entries.map(({ id }) => id) as [number, number, number, number]
      const ends = [to(dead, 'dead'), to(ignored, 'ignored', { reason: 'filtered' }), to(again, 'dead')]
      await storage.inbox.settle(lease, [...ends, to(delivered, 'delivered')], idle)
      await storage.inbox.redrive([{ id: again }], 2 * minute, 'an admin')
      await storage.inbox.addDestination(one, 2)
      await append(storage, [arrival(of), arrival()])
      for (const destination of [1, 2]) {
        const { entries } = await storage.lookup.find({ org: one, ...of, destination }, { limit: 100 })
        const states = [...new Set(entries.map(({ state }) => state))]
        assert.ok(states.length === (destination === 1 ? 6 : 4), states.join())
        for (const first of states)
          for (const second of states) {
            const wanted = entries.filter(({ state }) => state === first || state === second)
            assert.deepEqual(
              await idsOf(storage, { org: one, ...of, destination, states: [first, second] }),
              wanted.map(({ messageId }) => messageId),
            )
          }
      }
    },
  },
  {
    promise: 'what a destination was given and has not come to an end there is what waits for it, by the counts alone',
    async check(storage) {
      await storage.inbox.addDestination(one, 1)
      await append(storage, [arrival()])
      await storage.inbox.addDestination(one, 2)
      await dozen(storage)
      await append(storage, [arrival({ state: 'asking' }), arrival({ state: 'quarantined' })])
      const agree = async () => {
        const { totals, backlog, destinations } = await storage.ledger.snapshot(one, all)
        const rest = backlog.filter(({ state }) => state !== 'waiting')
        for (const destination of destinations) {
          const rows = backlog.find((row) => row.state === 'waiting' && row.destination === destination)
          assert.equal(waitingBy(totals, rest, destination), rows?.count ?? 0)
        }
        return backlog.filter(({ state }) => state === 'waiting').length
      }
      assert.equal(await agree(), 2)
      const { entries } = await storage.lookup.find({ org: one }, { limit: 9 })
      await storage.inbox.redrive(
        entries.slice(0, 5).map(({ id }) => ({ id })),
        30 * minute,
        'an admin',
      )
      await agree()
      await storage.inbox.take(
        one,
        entries.slice(3).map(({ id }) => id),
      )
      await agree()
      await storage.inbox.removeDestination(one, 2, 40 * minute)
      assert.equal(await agree(), 1)
    },
  },
  {
    promise: 'auditEntries of some kinds are given newest first, however many others there are between them',
    async check({ audit }) {
      for (let at = 0; at < 12; at++)
        await audit.add({ at, org: at % 5 === 4 ? other : one, who: 'an admin', what: `what-${at % 3}` })
      const told = async (limit: number, only: object) => (await audit.list(one, limit, only)).map(({ at }) => at)
      assert.deepEqual(await told(9, { what: ['what-0'] }), [6, 3, 0])
      assert.deepEqual(await told(3, { what: ['what-0', 'what-1'] }), [10, 7, 6])
      assert.deepEqual(await told(9, { what: ['what-2', 'what-0'], from: 3, to: 8 }), [6, 5, 3])
      assert.deepEqual(await told(9, { what: ['never'] }), [])
    },
  },
]
