/** Leases of one replica that end at once, in PostgreSQL: together, and none at the expense of another. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type Databases, usePostgres, withoutPostgres } from '../../../test/postgres.ts'
import { append, arrival } from '../conformance.ts'
import type { Lease, Settlement } from '../ports/inbox.ts'
import type { Storage } from '../ports/storage.ts'
import { type Database, openDatabase } from './database.ts'
import { open } from './open.ts'
import { openSettling } from './settle.ts'

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 100, bytesMax: 1_000_000, room: 8 }
const ending = { readyAt: 2_000, failures: 0 }

describe('leases that end at once', { skip: withoutPostgres }, () => {
  let server: Databases
  let storage: Storage
  let database: Database
  let statements: number
  let settle: ReturnType<typeof openSettling>
  before(async () => {
    server = await usePostgres()
  })
  beforeEach(async () => {
    const url = await server.fresh()
    storage = await open(url, 'serve')
    database = openDatabase(url, 4, () => {}, 'work')
    statements = 0
    const alone: Database['alone'] = (...args) => {
      statements++
      return database.alone(...args)
    }
    settle = openSettling({ ...database, alone })
  })
  afterEach(() => Promise.all([storage.close(), database.close()]))
  after(() => server.close())

  /** A lease of each of these accounts, with two events in it. */
  async function leasesOf(...orgs: string[]): Promise<Lease[]> {
    for (const org of orgs) await append(storage, [arrival({ org }), arrival({ org })])
    const { leases } = await storage.inbox.claim('send', claimOptions)
    return orgs.map((org) => leases.find((lease) => lease.org === org)!)
  }

  const attempt = (many: number) => ({ at: 1_900, ms: many, status: 200, many, tries: 1 })
  const delivered = ({ entries }: Lease): Settlement[] => {
    const made = attempt(entries.length)
    return entries.map(({ id }) => ({ id, to: 'delivered', at: 2_000, attempt: made }))
  }
  const statesOf = async (lease: Lease) =>
    Promise.all(
      lease.entries.map(async ({ messageId }) => {
        return (await storage.lookup.find({ message: messageId }, { limit: 1 })).entries[0]?.state
      }),
    )

  test('are settled by one statement, each with its own entries and attempts', async () => {
    const [b, a, c] = (await leasesOf('2', '1', '3')) as [Lease, Lease, Lease]
    const dead = b.entries.map(
      ({ id }): Settlement => ({ id, to: 'dead', at: 2_000, reason: 'bad', attempt: attempt(9) }),
    )
    const settled = await Promise.all([settle(b, dead, ending), settle(a, delivered(a), ending), settle(c, [], ending)])
    assert.equal(statements, 1)
    assert.deepEqual(
      settled.map(({ held }) => held),
      [true, true, true],
    )
    assert.deepEqual(
      [await statesOf(b), await statesOf(a), await statesOf(c)],
      [
        ['dead', 'dead'],
        ['delivered', 'delivered'],
        ['waiting', 'waiting'],
      ],
    )
    const { steps } = await storage.lookup.history(a.entries[0]!.id)
    assert.deepEqual(
      steps.map((step) => step.attempt?.ms),
      [2],
    )
  })

  test('and one that is lost changes nothing of the others, nor of its entries', async () => {
    const [lost, kept] = (await leasesOf('1', '2')) as [Lease, Lease]
    const settled = await Promise.all([
      settle({ ...lost, token: lost.token + 1 }, delivered(lost), ending),
      settle(kept, delivered(kept), ending),
    ])
    assert.deepEqual(
      settled.map(({ held }) => held),
      [false, true],
    )
    assert.deepEqual(
      [await statesOf(lost), await statesOf(kept)],
      [
        ['waiting', 'waiting'],
        ['delivered', 'delivered'],
      ],
    )
  })

  test('and what the server refuses of one keeps no other from being settled', async () => {
    const [refused, kept] = (await leasesOf('1', '2')) as [Lease, Lease]
    const [bad, good] = await Promise.allSettled([
      settle(refused, [{ id: refused.entries[0]!.id, to: 'delivered', at: Number.NaN }], ending),
      settle(kept, delivered(kept), ending),
    ])
    assert.deepEqual([bad.status, good.status], ['rejected', 'fulfilled'])
    assert.deepEqual(
      [await statesOf(refused), await statesOf(kept)],
      [
        ['waiting', 'waiting'],
        ['delivered', 'delivered'],
      ],
    )
  })

  test('are settled in the order in which one lease was settled twice', async () => {
    const [lease] = (await leasesOf('1')) as [Lease]
    const [first, second] = delivered(lease) as [Settlement, Settlement]
    const settled = await Promise.all([
      settle(lease, [first]),
      settle(lease, [second], ending),
      settle(lease, [], ending),
    ])
    assert.deepEqual(
      settled.map(({ held }) => held),
      [true, true, false],
    )
    assert.deepEqual(await statesOf(lease), ['delivered', 'delivered'])
  })
})
