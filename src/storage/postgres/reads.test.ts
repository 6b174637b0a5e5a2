/** How many rows PostgreSQL reads for a piece of work: as many as it is about, and not as many as the account has. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Databases, usePostgres, withoutPostgres } from '../../../test/postgres.ts'
import { type Alone, append, arrival, claimOptions, one, to } from '../conformance.ts'
import type { Lane } from '../ports/entry.ts'
import type { Settlement } from '../ports/inbox.ts'
import type { Storage } from '../ports/storage.ts'
import { open } from './open.ts'

const options = { ...claimOptions, limit: 20, room: 8 }
const idle = { readyAt: 2_000, failures: 0 }
const attempt = { at: 1_900, ms: 1, status: 200, many: 20, tries: 1 }
const grownBy = 2_000
const rounds = 4

/** Twenty of one account, of one contact. */
const twenty = (said: Partial<Alone>) => Array.from({ length: 20 }, () => arrival({ contact: 'c', ...said }))

async function settled(storage: Storage, lane: Lane, as: (id: number, at: number) => Settlement): Promise<number[]> {
  const { leases } = await storage.inbox.claim(lane, options)
  const ids = leases.flatMap(({ entries }) => entries.map(({ id }) => id))
  for (const lease of leases)
    await storage.inbox.settle(
      lease,
      lease.entries.map(({ id }, at) => as(id, at)),
      idle,
    )
  return ids
}

/** Resolves to how many events it was about. */
type Work = (storage: Storage) => Promise<number>

const works: Readonly<Record<string, Work>> = {
  'keeping events': async (storage) => {
    await append(storage, [...twenty({}), ...twenty({ state: 'asking' })])
    return 40
  },
  'delivering events': async (storage) =>
    (await settled(storage, 'send', (id) => to(id, 'delivered', { attempt }))).length,
  'giving events up, and asking for some': async (storage) =>
    (
      await settled(storage, 'send', (id, at) =>
        at % 2 ? to(id, 'dead', { reason: 'bad', attempt }) : to(id, 'asking'),
      )
    ).length,
  'looking up whose events are': async (storage) =>
    (await settled(storage, 'ask', (id, at) => (at % 4 ? to(id, 'waiting', { contact: 'c' }) : to(id, 'ignored'))))
      .length,
  'taking events away': async (storage) => {
    const ids = await settled(storage, 'send', (id) => to(id, 'same', { attempt }))
    return storage.inbox.take(one, ids)
  },
}

describe('in an account that has grown since its statements were planned', { skip: withoutPostgres }, () => {
  let server: Databases
  before(async () => {
    server = await usePostgres()
  })
  after(() => server.close())

  /** Rows and places of indexes that were read in all: counted once its connections are closed. */
  async function readBy(work: Work, measured: number): Promise<{ read: number; events: number }> {
    const url = await server.fresh()
    const storage = await open(url, 'serve')
    let events = 0
    try {
      const tables = await server.query(
        `SELECT format('ALTER TABLE %I.%I SET (autovacuum_enabled = off);', schemaname, relname) AS alter FROM pg_stat_user_tables`,
        url,
      )
      await server.query(tables.map((row) => row.alter).join(''), url)
      // PostgreSQL keeps a plan from the sixth time on.
      for (let nth = 0; nth < 8; nth++) {
        await append(storage, [...twenty({}), ...twenty({ state: 'asking' })])
        await work(storage)
      }
      for (let many = 0; many < grownBy; many += 40)
        await append(storage, [...twenty({}), ...twenty({ state: 'asking' })])
      for (let nth = 0; nth < measured; nth++) events += await work(storage)
    } finally {
      await storage.close()
    }
    const [row] = await server.query(
      `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes) AS read`,
      url,
    )
    return { read: Number(row!.read), events }
  }

  for (const [what, work] of Object.entries(works))
    test(`${what} reads a few rows for each`, async () => {
      const [without, withIt] = [await readBy(work, 0), await readBy(work, rounds)]
      assert.ok(withIt.events >= 20, `${withIt.events} events`)
      const each = (withIt.read - without.read) / withIt.events
      assert.ok(each < 40, `${Math.round(each)} rows for each of ${withIt.events} events`)
    })
})
