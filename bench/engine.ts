/** Both engines, for lines that say the same of each: a store that is there already, and where it is. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Postgres, startPostgres } from '../test/postgres.ts'
import type { Bench } from './line.ts'
import { type Engine, settingsFor, sqlite } from './product.ts'

export interface Stored {
  engine: Engine
  /** Settings of a service on it, whose Segment is there. */
  settings(segmentUrl?: string): ReturnType<typeof settingsFor>
  /** What a server that has run for long has done by itself: its statistics and its map of what everybody sees are up to date. */
  settle(): Promise<void>
  /** Bytes that it takes on disk, the log apart. */
  bytes(): Promise<number>
  /** Bytes that were written to its log since it was made; NaN on SQLite, whose pages are counted by the thread that writes. */
  logBytes(): Promise<number>
  /** SQLite's file. */
  path?: string
  /** PostgreSQL's server. */
  postgres?: Postgres
  close(): Promise<void>
}

export async function onSqlite(bench: Pick<Bench, 'folder'>): Promise<Stored> {
  const folder = await bench.folder()
  const path = join(folder, 'bench.db')
  return {
    engine: sqlite,
    path,
    settings: (segmentUrl) => settingsFor(sqlite, folder, segmentUrl),
    async settle() {},
    bytes: async () => bytesIn(path),
    logBytes: async () => Number.NaN,
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

/** With what stands in the log alone so far. */
function bytesIn(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  const sizeOf = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0])
  const bytes = sizeOf('page_count') * sizeOf('page_size')
  db.close()
  return bytes
}

/** A server of its own, with `settings` as of postgresql.conf. */
export async function onPostgres(settings: readonly string[] = []): Promise<Stored> {
  const postgres = await startPostgres(settings)
  const url = await postgres.fresh()
  const engine: Engine = { name: 'PostgreSQL', databaseUrl: () => url }
  const numberOf = async (sql: string) => Number((await postgres.query(`SELECT ${sql} AS number`, url))[0]!.number)
  return {
    engine,
    settings: (segmentUrl) => settingsFor(engine, '', segmentUrl),
    settle: async () => void (await postgres.query('VACUUM (ANALYZE)', url)),
    bytes: () => numberOf('pg_database_size(current_database())'),
    logBytes: () => numberOf(`pg_current_wal_insert_lsn() - '0/0'`),
    postgres,
    close: () => postgres.close(),
  }
}
