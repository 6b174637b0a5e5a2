/**
 * Whether a connection keeps what is set on it. Behind a pool that lends server connections for one transaction at a time
 * it does not: our settings, among them the one that makes a commit wait for the disk, would be lost, or another
 * client's would hold.
 */
import pg from 'pg'
import { Problem } from '../../lib/errors.ts'
import { connectionTo } from './database.ts'
import { problemOf } from './errors.ts'

/** Of the other connection; a pool that lends in turn has come round by then. */
const statements = 6

/** Rejects with `pool_mode_unsupported` behind such a pool. */
export async function assertSessions(url: string): Promise<void> {
  const [one, other] = [clientTo(url), clientTo(url)]
  const clients = [one, other]
  try {
    await Promise.all(clients.map((client) => client.connect()))
    const own = await backendOf(one)
    // Two connections that are open at once never have the same server process, and one never changes it.
    for (let n = 0; n < statements; n++) if ((await backendOf(other)) === own) throw poolModeUnsupported()
    if ((await backendOf(one)) !== own) throw poolModeUnsupported()
  } catch (error) {
    throw problemOf(error)
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  }
}

/** A client reads the files of certificates that the URL names when it is made. */
function clientTo(url: string): pg.Client {
  try {
    const client = new pg.Client(connectionTo(url))
    client.on('error', () => {})
    return client
  } catch (error) {
    throw problemOf(error)
  }
}

async function backendOf(client: pg.Client): Promise<number> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid
}

function poolModeUnsupported(): Problem {
  return new Problem('pool_mode_unsupported', 'a pool stands before PostgreSQL that lends connections by transaction', {
    hint: 'set pool_mode = session in PgBouncer for this database, or give DATABASE_URL the server itself',
    exitCode: 78,
  })
}
