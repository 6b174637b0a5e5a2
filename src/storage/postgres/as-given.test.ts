/** PostgreSQL as administrators give it: behind pools, with roles that may do little, with certificates of their own. */
import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { eventually } from '../../../test/clock.ts'
import { openssl, withoutOpenssl } from '../../../test/openssl.ts'
import { startPgbouncer, withoutPgbouncer } from '../../../test/pgbouncer.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../../../test/postgres.ts'
import { ownerOf } from '../../../test/postgres-binaries.ts'
import { append, arrival } from '../conformance.ts'
import { risks } from './examine.ts'
import { open } from './open.ts'

let server: Postgres
before(async () => {
  if (!withoutPostgres) server = await startPostgres()
})
after(() => server?.close())

async function opens(url: string, mode: 'serve' | 'beside' | 'create' = 'serve'): Promise<void> {
  const storage = await open(url, mode)
  try {
    await append(storage, [arrival()])
  } finally {
    await storage.close()
  }
}

describe('behind PgBouncer', { skip: withoutPostgres || withoutPgbouncer }, () => {
  const modes: [mode: 'transaction' | 'statement', more: string][] = [
    ['transaction', ''],
    ['transaction', 'server_round_robin = 1'],
    ['transaction', 'min_pool_size = 10'],
    ['statement', ''],
  ]
  for (const [mode, more] of modes)
    test(`a pool that lends by ${mode} (${more || 'as it comes'}) is refused by its name, whatever opens the store`, async () => {
      const direct = await server.fresh()
      await opens(direct)
      const pool = await startPgbouncer(direct, mode, more)
      try {
        for (const how of ['serve', 'beside', 'create'] as const)
          await assert.rejects(opens(pool.url, how), { code: 'pool_mode_unsupported', exitCode: 78 })
      } finally {
        await pool.close()
      }
    })

  test('a server that is away behind a pool is waited for, as one that is away itself', async () => {
    const away = await startPostgres()
    const pool = await startPgbouncer(await away.fresh(), 'session', 'server_login_retry = 1')
    try {
      await opens(pool.url)
      await away.stop('immediate')
      await assert.rejects(opens(pool.url), { code: 'store_unreachable', exitCode: 1 })
      await away.start()
      await eventually(() =>
        opens(pool.url).then(
          () => true,
          () => false,
        ),
      )
    } finally {
      await pool.close()
      await away.close()
    }
  })

  test('a pool that lends by session is used', async () => {
    const pool = await startPgbouncer(await server.fresh(), 'session')
    try {
      await opens(pool.url)
    } finally {
      await pool.close()
    }
  })
})

describe('standbys', () => {
  const risksWith = (row: object) => risks({ get: async () => row, all: async () => [] } as never)
  const asynchronous = { standbys: 1, waits: '', commits: 'on' }
  test('that no commit waits for are a risk', async () => {
    assert.deepEqual(await risksWith(asynchronous), [{ is: 'standbys', standbys: 1 }])
    assert.equal((await risksWith({ ...asynchronous, waits: 's1', commits: 'local' })).length, 1)
  })

  test('do not count as a risk where none is listed, or where commits wait', async () => {
    assert.deepEqual(await risksWith({ ...asynchronous, standbys: 0 }), [])
    assert.deepEqual(await risksWith({ ...asynchronous, waits: 'ANY 1 (s1)' }), [])
  })

  test('are none of those who copy the store or subscribe to changes', { skip: withoutPostgres }, async () => {
    const replicated = await startPostgres(['wal_level=logical'])
    const readers: pg.Client[] = []
    try {
      const url = await replicated.fresh()
      const storage = await open(url, 'serve')
      const replicate = async (command: string, name: string) => {
        const config = { connectionString: url, replication: 'database', application_name: name }
        const reader = new pg.Client(config as pg.ClientConfig)
        reader.on('error', () => {})
        readers.push(reader)
        await reader.connect()
        void reader.query(command).catch(() => {})
        const follows = `SELECT pid FROM pg_stat_replication WHERE application_name = '${name}' AND state IS NOT NULL`
        await eventually(async () => (await replicated.query(follows, url)).length === 1)
      }
      await replicated.query(`SELECT pg_create_logical_replication_slot('changes', 'pgoutput')`, url)
      await replicated.query('CREATE PUBLICATION ours FOR ALL TABLES', url)
      const [{ at } = { at: '' }] = await replicated.query('SELECT pg_current_wal_lsn() AS at', url)
      const options = `(proto_version '1', publication_names 'ours')`
      await replicate(`START_REPLICATION SLOT changes LOGICAL 0/0 ${options}`, 'subscriber')
      await replicate(`START_REPLICATION PHYSICAL ${at}`, 'pg_receivewal')
      await replicate('BASE_BACKUP (MAX_RATE 32)', 'a backup')
      assert.deepEqual(await storage.risks(), [])
      await replicate(`START_REPLICATION PHYSICAL ${at}`, 'a standby')
      assert.deepEqual(await storage.risks(), [{ is: 'standbys', standbys: 1 }])
      await storage.close()
    } finally {
      for (const reader of readers) await reader.end().catch(() => {})
      await replicated.close()
    }
  })

  test('are looked for in the real server', { skip: withoutPostgres }, async () => {
    const storage = await open(await server.fresh(), 'serve')
    assert.deepEqual(await storage.risks(), [])
    await storage.close()
  })
})

describe('a role', { skip: withoutPostgres }, () => {
  async function roleFor(url: string, name: string): Promise<string> {
    await server.query(`CREATE ROLE ${name} LOGIN`, url)
    return url.replace('postgres@', `${name}@`)
  }

  test('that may not make a schema hears what to grant', async () => {
    const url = await roleFor(await server.fresh(), 'app_without')
    await assert.rejects(opens(url), (error: { code?: string; hint?: string; exitCode?: number }) => {
      assert.match(error.hint!, /GRANT CREATE ON DATABASE.*CREATE SCHEMA drift_segment_source AUTHORIZATION/)
      return error.code === 'store_forbidden' && error.exitCode === 78
    })
  })

  test('takes an empty schema that was made for it', async () => {
    const admin = await server.fresh()
    const url = await roleFor(admin, 'app_with')
    await server.query('CREATE SCHEMA drift_segment_source AUTHORIZATION app_with', admin)
    await opens(url)
    await opens(url)
  })

  test('does not touch a schema of that name with tables of another program', async () => {
    const url = await server.fresh()
    await server.query('CREATE SCHEMA drift_segment_source; CREATE TABLE drift_segment_source.mine (a int)', url)
    await assert.rejects(opens(url), { code: 'store_not_ours', exitCode: 78 })
  })
})

test('a command makes no store in a database that has none, and speaks of the database, not of a path', {
  skip: withoutPostgres,
}, async () => {
  const url = await server.fresh()
  const { hint } = (await opens(url, 'beside').catch((thrown: unknown) => thrown)) as { hint: string }
  assert.match(hint, /the database in DATABASE_URL/)
  assert.doesNotMatch(hint, /path/)
  await assert.rejects(opens(url, 'beside'), { code: 'store_not_there', exitCode: 78 })
  const schemas = "SELECT 1 FROM pg_namespace WHERE nspname = 'drift_segment_source'"
  assert.deepEqual(await server.query(schemas, url), [])
})

test('that one statement finds no table is not taken for the end of the store, which is looked at', {
  skip: withoutPostgres,
}, async () => {
  const url = await server.fresh()
  const storage = await open(url, 'serve')
  try {
    let isBroken = false
    void storage.broken.then(() => (isBroken = true))
    await server.query('ALTER TABLE drift_segment_source.audit RENAME TO elsewhere', url)
    await assert.rejects(storage.audit.list('1', 1))
    await append(storage, [arrival()])
    assert.equal(isBroken, false)
    await server.query('DROP SCHEMA drift_segment_source CASCADE', url)
    await assert.rejects(append(storage, [arrival()]))
    assert.equal(((await storage.broken) as { code?: string }).code, 'store_gone')
  } finally {
    await storage.close()
  }
})

describe('a certificate of a private authority', { skip: withoutPostgres || withoutOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  let secured: Postgres
  before(async () => {
    const run = (line: string) => openssl(line, folder)
    run('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca')
    run(
      'req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost -addext subjectAltName=DNS:localhost',
    )
    run(
      'x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -copy_extensions copyall',
    )
    const { uid, gid } = await ownerOf()
    for (const name of ['', 'server.key', 'server.crt']) if (uid !== undefined) chownSync(join(folder, name), uid, gid!)
    secured = await startPostgres(['ssl=on', `ssl_cert_file=${folder}/server.crt`, `ssl_key_file=${folder}/server.key`])
  })
  after(async () => {
    await secured?.close()
    rmSync(folder, { recursive: true })
  })

  const named = (url: string, query: string, host = 'localhost') => `${url.replace('127.0.0.1', host)}?${query}`

  test('is accepted where DATABASE_URL names the authority', async () => {
    assert.match(readFileSync(join(folder, 'ca.crt'), 'utf8'), /BEGIN CERTIFICATE/)
    await opens(named(await secured.fresh(), `sslmode=verify-full&sslrootcert=${folder}/ca.crt`))
  })

  test('that is not named, or of another host, is refused with what to do', async () => {
    const url = await secured.fresh()
    const cases: [bad: string, hint: RegExp][] = [
      [named(url, 'sslmode=verify-full'), /sslrootcert.*NODE_EXTRA_CA_CERTS/],
      [named(url, `sslmode=verify-full&sslrootcert=${folder}/ca.crt`, '127.0.0.1'), /the host .* in the certificate/],
    ]
    for (const [bad, hint] of cases)
      await assert.rejects(opens(bad), (error: { code?: string; hint?: string }) => {
        assert.match(error.hint!, hint)
        return error.code === 'store_certificate'
      })
  })

  test('in a file that is not there is not waited for: the settings name it, so they must change', async () => {
    for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
      const bad = named(await secured.fresh(), `sslmode=verify-full&${name}=${folder}/not-there.pem`)
      await assert.rejects(
        opens(bad),
        (error: { code?: string; message: string; hint?: string; exitCode?: number }) => {
          assert.match(error.message, /^a file that DATABASE_URL names cannot be read \(ENOENT\)$/)
          assert.match(error.hint!, /sslrootcert, sslcert and sslkey/)
          return error.code === 'store_certificate' && error.exitCode === 78
        },
      )
    }
  })

  test('is asked for and checked as well in the weaker modes, and the client prints no warning about them', async () => {
    const warned: string[] = []
    const hear = ({ message }: Error) => void warned.push(message)
    process.on('warning', hear)
    try {
      const url = await secured.fresh()
      for (const mode of ['prefer', 'require', 'verify-ca']) {
        await assert.rejects(opens(named(url, `sslmode=${mode}`)), { code: 'store_certificate' })
        await opens(named(url, `sslmode=${mode}&sslrootcert=${folder}/ca.crt`))
      }
      // A warning is emitted in the next turn.
      await new Promise(setImmediate)
    } finally {
      process.off('warning', hear)
    }
    assert.deepEqual(warned, [])
  })
})
