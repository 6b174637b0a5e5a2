/** A real PgBouncer before a test's PostgreSQL: Debian's, where it is installed. */
import { execFileSync } from 'node:child_process'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { endChild, startChild } from './children.ts'
import { eventually } from './clock.ts'
import { freePort } from './free-port.ts'
import { ownerOf } from './postgres-binaries.ts'

/** Why tests with a pool are left out, if they are. */
export const withoutPgbouncer: string | false = isThere()
  ? false
  : 'there is no pgbouncer here (Debian: apt-get install pgbouncer)'

function isThere(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } })
    return true
  } catch {
    return false
  }
}

export interface Pool {
  /** The same database, by way of the pool. */
  url: string
  close(): Promise<void>
}

export async function startPgbouncer(
  url: string,
  mode: 'session' | 'transaction' | 'statement',
  more = '',
): Promise<Pool> {
  const { hostname, port: serverPort, pathname } = new URL(url)
  const [folder, port, owner] = [await mkdtemp(join(tmpdir(), 'pgbouncer-')), await freePort(), await ownerOf()]
  const settings = `[databases]
* = host=${hostname} port=${serverPort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 30
${more}
`
  await writeFile(join(folder, 'pgbouncer.ini'), settings)
  if (owner.uid !== undefined)
    for (const path of [folder, join(folder, 'pgbouncer.ini')]) await chown(path, owner.uid, owner.gid!)
  const child = startChild('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], {
    ...owner,
    cwd: folder,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const pooled = `postgres://postgres@127.0.0.1:${port}${pathname}`
  await eventually(async () => {
    const client = new pg.Client({ connectionString: pooled })
    client.on('error', () => {})
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  })
  return {
    url: pooled,
    async close() {
      await endChild(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
