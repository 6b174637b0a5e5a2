/** What is true of the PostgreSQL engine beyond the ports: many services at once. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { eventually, leastMs } from '../../../test/clock.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../../../test/postgres.ts'
import { Problem } from '../../lib/errors.ts'
import { append, arrival, claimOne, conserved, identityAt, keepAll } from '../conformance.ts'
import type { Storage } from '../ports/storage.ts'
import { open } from './open.ts'

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 10_000, bytesMax: 100_000_000 }
const meta = 'drift_segment_source.meta'

interface Written {
  org: string
  messageId: string
  /** So many had been acknowledged when it was posted. */
  acknowledged: number
}

describe('several services on one database', { skip: withoutPostgres }, () => {
  let server: Postgres
  let url: string
  let opened: Storage[]
  before(async () => {
    server = await startPostgres()
  })
  beforeEach(async () => {
    url = await server.fresh()
    opened = []
  })
  afterEach(() => Promise.all(opened.map((storage) => storage.close())))
  after(() => server.close())

  async function service(): Promise<Storage> {
    const storage = await open(url, 'serve')
    opened.push(storage)
    return storage
  }

  test('may all start at once on an empty database', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, service))
    await append(all[0]!, [arrival()])
    assert.equal((await claimOne(all[5]!.inbox, 'send', claimOptions))?.entries.length, 1)
    assert.deepEqual(await server.query(`SELECT count(*)::integer AS rows FROM ${meta}`, url), [{ rows: 1 }])
  })

  test('put what comes after an acknowledgement behind what was acknowledged, and never wait in a circle', async () => {
    const all = await Promise.all([service(), service(), service()])
    const orgs = ['1', '2', '3', '4', '5']
    const [written, wrong]: [Written[], Written[]] = [[], []]
    const writers = all.flatMap((storage, who) =>
      Array.from({ length: 4 }, async (_, n) => {
        for (let round = 0; round < 25; round++) {
          const mixed = orgs.map((_org, at) => orgs[(at * (who + 1) + n + round) % orgs.length]!)
          const batch = mixed.map((org) => arrival({ org, messageId: `${who} ${n} ${round} ${org}` }))
          const acknowledged = written.length
          assert.ok((await append(storage, batch)).every((word) => word === 'stored'))
          written.push(...batch.map(({ org, messageId }) => ({ org, messageId, acknowledged })))
        }
      }),
    )
    await Promise.all(writers)
    const rows = await server.query('SELECT message_id, id::integer AS place FROM drift_segment_source.entries', url)
    const placeOf = new Map(rows.map(({ message_id, place }) => [message_id, Number(place)]))
    for (const one of written) {
      const before = written.slice(0, one.acknowledged).filter(({ org }) => org === one.org)
      if (before.some(({ messageId }) => placeOf.get(messageId)! > placeOf.get(one.messageId)!)) wrong.push(one)
    }
    assert.deepEqual(wrong, [])
    const [{ deadlocks } = {}] = await server.query('SELECT sum(deadlocks)::integer AS deadlocks FROM pg_stat_database')
    assert.equal(deadlocks, 0)
    await conserved(all[0]!)
    assert.equal(
      (await all[0]!.ledger.backlog()).reduce((sum, { count }) => sum + count, 0),
      1_500,
    )
  })

  test('take the same event once, whichever of them it comes to, a hundred times at once', async () => {
    const all = await Promise.all([service(), service(), service(), service()])
    const same = arrival()
    const told = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => append(all[n % 4]!, [{ ...same, messageId: `copy-${n}` }])),
    )
    assert.equal(told.flat().filter((word) => word === 'stored').length, 1)
    assert.equal(told.flat().filter((word) => word === 'duplicate').length, 99)
    await conserved(all[0]!)
  })

  test('lose no entry to a lane that falls asleep while another puts something in it', async () => {
    const [one, other] = [await service(), await service()]
    let sent = 0
    const writing = (async () => {
      for (; sent < 300; sent++) await append(one, [arrival({ messageId: `sleepy-${sent}` })])
    })()
    let got = 0
    await eventually(
      async () => {
        const lease = await claimOne(other.inbox, 'send', claimOptions)
        if (lease) {
          got += lease.entries.length
          const settlements = lease.entries.map(({ id }) => ({ id, to: 'delivered' as const, at: 2_000 }))
          await other.inbox.settle(lease, settlements, { readyAt: 2_000, failures: 0 })
        }
        return got === 300
      },
      () => ({ sent, got }),
    )
    await writing
    assert.equal(await other.inbox.nextDue('send'), undefined)
  })

  test('hear within a second of changed accounts, forgotten keys and what is due, and of their own changes nothing', async () => {
    const [here, there] = [await service(), await service()]
    const heard: unknown[] = []
    let own = 0
    there.onChange((org) => heard.push(org))
    here.onChange(() => own++)
    let due = 0
    there.onDue(() => due++)
    // What each hears when it begins to listen.
    await eventually(() => own > 0 && heard.length > 0)
    const ownBefore = own
    const install = {
      org: '7',
      state: 'live',
      settings: '{}',
      createdAt: 1,
      updatedAt: 1,
      generation: 0,
    } as const
    const heardAfterMs = await leastMs(1_000, async (generation) => {
      const startedAt = performance.now()
      heard.length = 0
      assert.equal(await here.installs.save({ ...install, generation }), true)
      await eventually(() => heard.includes('7'))
      await here.vault.create('data-key/1', Buffer.from('key'))
      await here.vault.remove('data-key/1')
      await eventually(() => heard.includes(undefined))
      const dueBefore = due
      await append(here, [arrival()])
      await eventually(() => due > dueBefore)
      return performance.now() - startedAt
    })
    assert.ok(heardAfterMs < 1_000)
    assert.equal(own, ownBefore)
  })

  test('of an older version go on beside a newer schema that allows it, and stop when it does not', async () => {
    const running = await service()
    running.onDue(() => {})
    let stopped: unknown
    void running.broken.then((problem) => (stopped = (problem as { code?: string }).code))
    await server.query(`UPDATE ${meta} SET schema = 99`, url)
    await append(await service(), [arrival()])
    assert.equal((await claimOne(running.inbox, 'send', claimOptions))?.entries.length, 1)
    assert.equal(stopped, undefined)
    await server.query(`UPDATE ${meta} SET least = 99`, url)
    await assert.rejects(open(url, 'serve'), { code: 'store_too_new', exitCode: 78 })
    await eventually(() => stopped === 'store_too_new')
  })

  test('go on with what their connections have prepared when a newer version adds a column to every table', async () => {
    const running = await service()
    const turn = async () => {
      await append(running, [arrival(), arrival({ state: 'asking' })])
      const lease = (await claimOne(running.inbox, 'send', claimOptions))!
      assert.deepEqual((await running.inbox.more(lease, lease.entries[0]!.place, claimOptions)).entries, [])
      const settlements = lease.entries.map(({ id }) => ({ id, to: 'delivered' as const, at: 2_000 }))
      await running.inbox.settle(lease, settlements, { readyAt: 2_000, failures: 0 })
      return settlements.length
    }
    // Ten connections, and each of them has prepared all of it.
    for (let round = 0; round < 10; round++) assert.ok((await turn()) > 0)
    const tables = ['entries', 'bodies', 'lanes', 'identities', 'counts', 'time_buckets', 'installs']
    const added = tables.map((table) => `ALTER TABLE drift_segment_source.${table} ADD COLUMN newer text`)
    await server.query(added.join('; '), url)
    for (let round = 0; round < 10; round++) assert.ok((await turn()) > 0)
  })

  test('leave a schema of our name that is not ours as it is', async () => {
    await server.query('CREATE SCHEMA drift_segment_source; CREATE TABLE drift_segment_source.theirs (x integer)', url)
    await assert.rejects(open(url, 'serve'), { code: 'store_not_ours', exitCode: 78 })
    const tables = await server.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'drift_segment_source'::regnamespace`,
      url,
    )
    assert.deepEqual(tables, [{ relname: 'theirs' }])
  })

  test('find out that their tables are gone, and stop', async () => {
    const storage = await service()
    await server.query('DROP SCHEMA drift_segment_source CASCADE', url)
    await assert.rejects(append(storage, [arrival()]), { code: 'store_gone' })
    assert.equal(((await storage.broken) as { code?: string }).code, 'store_gone')
  })

  test('say when the URL is not let in, without its password', async () => {
    const wrong = url.replace('postgres@', 'nobody:a-password-of-ours@').replace(/test_\d+$/, 'not_there')
    await assert.rejects(open(wrong, 'serve'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'store_refused')
      assert.doesNotMatch(error.message, /a-password-of-ours/)
      return true
    })
  })

  test('say when the database is not there, apart from a user who is not let in', async () => {
    const error = await open(url.replace(/[^/]+$/, 'not_there'), 'serve').catch((thrown: Problem) => thrown)
    assert.ok(error instanceof Problem)
    assert.deepEqual([error.code, error.exitCode], ['store_refused', 78])
    assert.match(error.message, /no database of the name/)
    assert.match(error.hint!, /CREATE DATABASE/)
  })

  test('do not wait for a server that speaks no TLS, and say so', async () => {
    const error = await open(`${url}?sslmode=verify-full`, 'serve').catch((thrown: Problem) => thrown)
    assert.ok(error instanceof Problem)
    assert.deepEqual([error.code, error.exitCode], ['store_refused', 78])
    assert.match(error.message, /speaks no TLS/)
  })

  test('say when another role has made the tables', async () => {
    await service()
    await server.query('CREATE ROLE newcomer LOGIN', url)
    const error = await open(url.replace('postgres@', 'newcomer@'), 'serve').catch((thrown: Problem) => thrown)
    assert.ok(error instanceof Problem)
    assert.equal(error.code, 'store_forbidden')
    assert.match(`${error.message} ${error.hint}`, /may not make or use our tables .*another role has made the tables/)
  })

  test('tidy up at the same time without harm', async () => {
    const all = await Promise.all([service(), service(), service()])
    await append(
      all[0]!,
      Array.from({ length: 3_000 }, () => arrival({ state: 'unclaimed' })),
    )
    const limits = { ...keepAll, notInstalledBefore: 1_001 }
    let gone = 0
    await eventually(async () => {
      for (const step of await Promise.all(all.map(({ inbox }) => inbox.expire(limits)))) gone += step.removed
      return gone >= 3_000
    })
    assert.equal(gone, 3_000)
    await conserved(all[0]!)
  })

  test('forget the identities whose time has run out, wherever they lie, and no others', async () => {
    const storage = await service()
    const [day, now] = [24 * 3_600_000, Date.UTC(2026, 10, 1)]
    const [year, month] = [365 * day, 30 * day]
    const some = (many: number, time: number, rememberMs = month) =>
      Array.from({ length: many }, () => arrival({ identity: identityAt(time), receivedAt: now, rememberMs }))
    await append(storage, [
      ...some(50, 0, 60_000),
      ...some(50, now - year),
      ...some(50, now),
      ...some(50, now + year),
      ...some(5, now - year, 2 * month),
    ])
    const left: unknown[] = []
    for (const at of [now, now + day, now + 31 * day, now + 61 * day]) {
      for (let step = 0; step < 2; step++) await storage.inbox.expire({ ...keepAll, now: at, youngAfter: at - month })
      left.push((await server.query('SELECT count(*)::int AS n FROM drift_segment_source.identities', url))[0]!.n)
    }
    assert.deepEqual(left, [205, 155, 5, 0])
  })

  test('keep what text cannot hold in it', async () => {
    const storage = await service()
    await append(storage, [arrival({ reason: 'a\u0000b', state: 'quarantined' })])
    assert.equal((await storage.lookup.find({ reason: 'a\u0000b' }, { limit: 1 })).entries.length, 0)
    const [{ reason } = {}] = (await storage.lookup.find({ states: ['quarantined'] }, { limit: 1 })).entries
    assert.equal(reason, 'a\ufffdb')
  })
})
