/** One connection with the settings that make a commit durable, and statements prepared once each. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'
import { migrate } from './migrations.ts'
import type { Purpose } from './worker.ts'

export type Row = Record<string, SQLInputValue>

export interface Database {
  run(sql: string, ...values: SQLInputValue[]): number
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  all(sql: string, ...values: SQLInputValue[]): Row[]
  iterate(sql: string, ...values: SQLInputValue[]): Iterable<Row>
  /** As `iterate`, with a statement of its own, so that several may be under way at once. */
  each(sql: string, ...values: SQLInputValue[]): Iterable<Row>
  exec(sql: string): void
  close(): void
}

/** How long a statement waits for another process's transaction, such as a command beside the service. */
const busyMs = 10_000

export function openDatabase(path: string, purpose: Purpose): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = purpose === 'serve' ? lockFor(path) : undefined
  const db = new DatabaseSync(path, { timeout: busyMs, readOnly: purpose === 'look' })
  // FULL: a commit waits for the disk. With NORMAL the last commits before a power loss are gone.
  if (purpose !== 'look') db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
  if (purpose !== 'look') migrate(db)
  const prepared = new Map<string, StatementSync>()
  const statement = (sql: string) => {
    const found = prepared.get(sql) ?? db.prepare(sql)
    prepared.set(sql, found)
    return found
  }
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    get: (sql, ...values) => statement(sql).get(...values) as Row | undefined,
    all: (sql, ...values) => statement(sql).all(...values) as Row[],
    iterate: (sql, ...values) => statement(sql).iterate(...values) as Iterable<Row>,
    each: (sql, ...values) => db.prepare(sql).iterate(...values) as Iterable<Row>,
    exec: (sql) => db.exec(sql),
    close() {
      db.close()
      lock?.close()
    },
  }
}

/** Held for as long as the process lives, however it ends: the system lets go of a dead process's file locks. */
function lockFor(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch {
    lock.close()
    throw new Problem('store_in_use', 'another service already runs on this SQLite file', {
      hint: 'stop it first, or give this one its own DATABASE_URL; commands work beside a running service',
      exitCode: 78,
    })
  }
}
