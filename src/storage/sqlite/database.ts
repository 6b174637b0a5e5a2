/** One connection with the settings that make a commit durable, and statements prepared once each. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'
import { createForUs, notThere, placeFor, storeAt } from './at-path.ts'
import { openingProblemOf, primaryCode } from './errors.ts'
import { type Files, watchFiles } from './files.ts'
import { assertOurs, migrate } from './migrations.ts'
import { logBytesMax } from './purge.ts'
import { stampFile } from './stamp.ts'
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
  /** Where the file lies once links are followed. */
  path: string
  /** Whether what is open is what lies at its path. */
  files: Files
  close(): void
}

/** How long a statement waits for another process's transaction, such as a command beside the service. */
const busyMs = 10_000

export function openDatabase(path: string, purpose: Purpose): Database {
  const isMade = purpose === 'serve' || purpose === 'create'
  const real = isMade ? placeFor(path) : storeAt(path)
  const lock = purpose === 'serve' ? lockFor(real) : undefined
  const db = new DatabaseSync(path, { timeout: busyMs, readOnly: purpose === 'look' })
  try {
    makeReady(db, purpose)
  } catch (error) {
    // Left to the garbage collector, it would keep the file locked for a while.
    db.close()
    lock?.close()
    throw error
  }
  const files = watchFiles(path, real, purpose === 'serve' ? stampFile(db, path) : () => true)
  return { ...statementsOf(db), path: real, files, close: () => close(db, lock) }
}

function close(db: DatabaseSync, lock: DatabaseSync | undefined): void {
  db.close()
  lock?.close()
}

/** A database of this process's memory: a new one, or what `image` gave of another. */
export function databaseInMemory(image?: Uint8Array): Database & { image(): Uint8Array } {
  const db = new DatabaseSync(':memory:')
  if (image) db.deserialize(image)
  else migrate(db)
  const files = { glance: () => undefined, look: () => undefined }
  return { ...statementsOf(db), path: ':memory:', files, close: () => db.close(), image: () => db.serialize() }
}

function statementsOf(db: DatabaseSync): Omit<Database, 'path' | 'files' | 'close'> {
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
  }
}

function makeReady(db: DatabaseSync, purpose: Purpose): void {
  // Another program's file is not even given a log.
  if (purpose !== 'look') assertOurs(db)
  // FULL: a commit waits for the disk. With NORMAL the last commits before a power loss are gone.
  // mutant: commits without waiting for the disk (synchronous = NORMAL)
  if (purpose !== 'look') db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  // What is erased is overwritten, also where SQLite would only mark a page as free.
  // mutant: only marks as free what it erased from the SQLite file
  if (purpose !== 'look') db.exec(`PRAGMA secure_delete = ON; PRAGMA journal_size_limit = ${logBytesMax}`)
  // 4 MiB in each thread: the system's own cache is behind it, and larger ones made nothing quicker.
  db.exec('PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY')
  if (purpose !== 'look') migrate(db, purpose === 'beside' ? notThere : undefined)
}

/** Commands look at the lock for less than that: such a look must not keep a service from starting. */
const lockMs = 200
/** Of sqlite.org/rescode.html. */
const busy = 5

/** Whether a process holds the lock beside the file. */
export function isLocked(path: string): boolean {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(`${path}.lock`, { timeout: 0, readOnly: true })
    lock.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    return primaryCode(error) === busy
  } finally {
    lock?.close()
  }
}

/**
 * Held for as long as the process lives, however it ends: the system lets go of a dead process's file locks. With a journal
 * in memory it needs no room on the disk. Throws a Problem where it cannot be had.
 */
export function lockFor(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    createForUs(`${path}.lock`)
    lock = new DatabaseSync(`${path}.lock`, { timeout: lockMs })
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (primaryCode(error) !== busy) throw openingProblemOf(error)
    throw new Problem('store_in_use', 'another service already runs on this SQLite file', {
      hint: 'stop it first; a second service needs a file of its own',
      exitCode: 78,
    })
  }
}
