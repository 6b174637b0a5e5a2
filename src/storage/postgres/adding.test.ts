/** Two replicas that add to one account at the same moment, the one much slower than the other. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { eventually } from '../../../test/clock.ts'
import { type Databases, usePostgres, withoutPostgres } from '../../../test/postgres.ts'
import { append, arrival, claimOne } from '../conformance.ts'
import type { Storage } from '../ports/storage.ts'
import { open } from './open.ts'

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 10_000, bytesMax: 100_000_000 }

describe('two replicas', { skip: withoutPostgres }, () => {
  let server: Databases
  let url: string
  let one: Storage
  let other: Storage
  before(async () => {
    server = await usePostgres()
  })
  beforeEach(async () => {
    url = await server.fresh()
    one = await open(url, 'serve')
    other = await open(url, 'serve')
  })
  afterEach(() => Promise.all([one.close(), other.close()]))
  after(() => server.close())

  /** Keeps whatever counts events of this account and type from committing; what it gives lets them. */
  async function delaying(org: string, type: string): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const schema = 'drift_segment_source'
    await client.query(`INSERT INTO ${schema}.counts VALUES ('${org}', 0, '${type}', 'received', '', 0)`)
    await client.query('BEGIN')
    await client.query(`SELECT 1 FROM ${schema}.counts WHERE org = '${org}' AND type = '${type}' FOR UPDATE`)
    return async () => {
      await client.query('COMMIT')
      await client.end()
    }
  }

  /** Resolves when so many transactions wait for a lock. */
  const stuck = (many: number) =>
    eventually(async () => {
      const sql = `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
      return (await server.query(sql, url))[0]!.n === many
    })

  test('add to one account at once: none waits for what another has not committed', async () => {
    await append(one, [arrival({ org: '1', type: 'quick' })])
    const goOn = await delaying('1', 'slow')
    const slow = append(one, [arrival({ org: '1', type: 'slow' })])
    await stuck(1)
    assert.deepEqual(await append(other, [arrival({ org: '1', type: 'quick' })]), ['stored'])
    await goOn()
    assert.deepEqual(await slow, ['stored'])
  })

  test('say of no lane that it is empty while another adds to it', async () => {
    await append(one, [arrival({ org: '1', type: 'quick' })])
    const lease = (await claimOne(one.inbox, 'send', claimOptions))!
    const goOn = await delaying('1', 'slow')
    const slow = append(other, [arrival({ org: '1', type: 'slow', messageId: 'slow' })])
    await stuck(1)
    const delivered = { id: lease.entries[0]!.id, to: 'delivered' as const, at: 2_000 }
    await one.inbox.settle(lease, [delivered], { readyAt: 2_000, failures: 0 })
    await goOn()
    await slow
    assert.deepEqual(
      (await claimOne(one.inbox, 'send', claimOptions))?.entries.map(({ messageId }) => messageId),
      ['slow'],
    )
  })

  test('claim again at once where they found a lane empty while another adds to it', async () => {
    await append(one, [arrival({ org: '1', type: 'quick' })])
    const lease = (await claimOne(one.inbox, 'send', claimOptions))!
    const goOn = await delaying('1', 'slow')
    const slow = append(other, [arrival({ org: '1', type: 'slow' })])
    await stuck(1)
    const delivered = { id: lease.entries[0]!.id, to: 'delivered' as const, at: 2_000 }
    await one.inbox.settle(lease, [delivered], { readyAt: 2_000, failures: 0 })
    const early = await one.inbox.claim('send', { ...claimOptions, room: 8 })
    await goOn()
    await slow
    assert.deepEqual(early, { leases: [], nextDue: 2_000 })
  })

  test('give a lease that goes on what was committed late before what was posted after its acknowledgement', async () => {
    await append(one, [arrival({ org: '1', type: 'quick', messageId: 'begins' })])
    const goOn = await delaying('1', 'slow')
    const slow = append(other, [arrival({ org: '1', type: 'slow', messageId: 'first' })])
    await stuck(1)
    await append(one, [arrival({ org: '1', type: 'quick', messageId: 'second' })])
    const lease = (await claimOne(one.inbox, 'send', claimOptions))!
    await goOn()
    await slow
    await append(one, [arrival({ org: '1', type: 'quick', messageId: 'third' })])
    const more = (await one.inbox.more(lease, lease.entries.at(-1)!.place, claimOptions)).entries
    assert.deepEqual(
      [...lease.entries, ...more].map(({ messageId }) => messageId),
      ['begins', 'second', 'first', 'third'],
    )
    assert.deepEqual((await one.inbox.more(lease, more.at(-1)!.place, claimOptions)).entries, [])
  })
})
