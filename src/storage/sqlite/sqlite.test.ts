/** What is true of the SQLite engine beyond the ports: its file and its lock. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { leastMs } from '../../../test/clock.ts'
import { append, arrival, claimOne, identityAt, keepAll } from '../conformance.ts'
import { claim } from './claim.ts'
import { openDatabase } from './database.ts'
import { open } from './open.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-sqlite-'))
  path = join(folder, 'store.db')
})
afterEach(() => rm(folder, { recursive: true }))

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 10_000, bytesMax: 100_000_000 }

describe('identities', () => {
  test('whose time has run out are taken away a step at a time, wherever they lie, and no others', async () => {
    const service = await open(path, 'serve')
    const [day, now] = [24 * 3_600_000, Date.UTC(2026, 10, 1)]
    const some = (many: number, time: number, rememberMs: number) =>
      Array.from({ length: many }, () => arrival({ identity: identityAt(time), receivedAt: now, rememberMs }))
    const [year, month, minute] = [365 * day, 30 * day, 60_000]
    await append(service, [
      ...some(12_000, 0, 10 * minute),
      ...some(2_000, now - year, month),
      ...some(2_000, now, month),
      ...some(2_000, now + year, month),
      ...some(5, now - year, 2 * month),
    ])
    const left = () =>
      Number(new DatabaseSync(path, { readOnly: true }).prepare('SELECT count(*) AS n FROM identities').get()!.n)
    const expired = async (at: number) => {
      for (let step = 0; step < 4; step++)
        await service.inbox.expire({ ...keepAll, now: at, youngAfter: at - month, deliveredBefore: 0 })
      return left()
    }
    assert.deepEqual([await expired(now), await expired(now + day), await expired(now + 61 * day)], [18_005, 6_005, 0])
    await service.close()
  })
})

describe('the file', () => {
  test('has one service at a time; a command works beside it, and the service notices within a second', async () => {
    const service = await open(path, 'serve')
    await assert.rejects(open(path, 'serve'), { code: 'store_in_use', exitCode: 78 })
    let changed = Promise.withResolvers<void>()
    service.onChange(() => changed.resolve())
    const beside = await open(path, 'beside')
    let appended = 0
    const noticedAfterMs = await leastMs(1_000, async () => {
      changed = Promise.withResolvers<void>()
      const startedAt = performance.now()
      await append(beside, [arrival()])
      appended++
      await changed.promise
      return performance.now() - startedAt
    })
    assert.ok(noticedAfterMs < 1_000)
    assert.equal((await claimOne(service.inbox, 'send', claimOptions))?.entries.length, appended)
    await beside.close()
    await service.close()
    await (await open(path, 'serve')).close()
  })

  test('is not readable for other users, and neither is what stands beside it', async () => {
    await chmod(folder, 0o755)
    const service = await open(path, 'serve')
    await append(service, [arrival()])
    const readable = (await readdir(folder)).filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0)
    assert.deepEqual(readable, [])
    await service.close()
  })

  test('of a newer version is refused and left as it is', async () => {
    await (await open(path, 'serve')).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 999')
    db.close()
    await assert.rejects(open(path, 'serve'), { code: 'store_too_new', exitCode: 78 })
  })

  test('of another program is refused and left as it is', async () => {
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    const before = readFileSync(path)
    await assert.rejects(open(path, 'serve'), { code: 'store_not_ours', exitCode: 78 })
    const after = new DatabaseSync(path)
    assert.deepEqual(
      after
        .prepare('SELECT name FROM sqlite_schema')
        .all()
        .map(({ name }) => name),
      ['theirs'],
    )
    after.close()
    assert.ok(readFileSync(path).equals(before), 'to the byte')
  })

  test('that is not a database is refused', async () => {
    await writeFile(path, 'this is not a database, but a text of some length, longer than a header'.repeat(20))
    await assert.rejects(open(path, 'serve'), /not a SQLite database/)
  })

  test('commits in groups: many webhooks at once share a few transactions', async () => {
    const service = await open(path, 'serve')
    const watcher = new DatabaseSync(path)
    const walBytes = () => readFileSync(`${path}-wal`).length
    await append(service, [arrival()])
    const before = walBytes()
    await Promise.all(Array.from({ length: 400 }, () => append(service, [arrival()])))
    const together = walBytes() - before
    for (let n = 0; n < 40; n++) await append(service, [arrival()])
    const apart = walBytes() - before - together
    // One by one, each commit writes its pages again: forty of them write more than four hundred that share theirs.
    assert.ok(together < apart, `${together} bytes for 400 together, ${apart} for 40 apart`)
    watcher.close()
    await service.close()
  })

  test('waits for the disk at every commit', () => {
    // With NORMAL (1) a power loss takes acknowledged webhooks; no test in a running system would show it.
    const db = openDatabase(path, 'create')
    assert.equal(db.get('PRAGMA synchronous')?.synchronous, 2)
    assert.equal(db.get('PRAGMA journal_mode')?.journal_mode, 'wal')
    db.close()
  })

  test('has its next account found by an index: a claim does not read those that have nothing to do', () => {
    const db = openDatabase(path, 'create')
    const plans: unknown[] = []
    const get: typeof db.get = (sql, ...values) => {
      plans.push(...db.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => detail))
      return db.get(sql, ...values)
    }
    for (const farAhead of [false, true]) claim({ ...db, get }, 'send', { ...claimOptions, farAhead, room: 1 })
    db.close()
    assert.equal(plans.filter((detail) => /SEARCH lanes USING INDEX lanes_ready/.test(String(detail))).length, 4)
    assert.ok(!plans.some((detail) => /ORDER BY/.test(String(detail))), String(plans))
  })
})
