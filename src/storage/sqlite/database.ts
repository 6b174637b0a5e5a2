/** One connection with the settings that make a commit durable, and statements prepared once each. */
import { existsSync, mkdirSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'
import { storeNotThere } from '../not-there.ts'
import { primaryCode, storeOnNetwork, storeUnreachable } from './errors.ts'
import { createForUs, type Files, watchFiles } from './files.ts'
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
  if (purpose === 'beside' && !hasContent(path)) throw notThere()
  const real = purpose === 'look' ? realpathSync(path) : placeFor(path)
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

/** Linux' numbers of file systems that are another machine's (statfs(2)): NFS, SMB in three versions, AFS, Ceph, Lustre. */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x00c36400, 0x0bd00bd0])

/** SQLite's log is shared memory, which two machines do not share: over a network the file would be damaged. */
export function isOnNetwork(type: number): boolean {
  return networkTypes.has(type)
}

/** The message does not name the path: it stands in the settings. */
const notThere = () => storeNotThere('path')

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
}

/**
 * With every folder above it. Node's own `recursive` never returns, and takes no signal, where a folder that is there
 * cannot get another: `mkdir` in `/proc` fails with ENOENT (Node 24).
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(path)) throw error
  }
}

/** Where the file lies once links are followed; its folder and the file are made if they are not there. */
function placeFor(path: string): string {
  try {
    makeFolder(dirname(path))
    const real = createForUs(path)
    if (isOnNetwork(statfsSync(dirname(real)).type)) throw storeOnNetwork()
    return real
  } catch (error) {
    if (error instanceof Problem) throw error
    throw storeUnreachable(error)
  }
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

/** Held for as long as the process lives, however it ends: the system lets go of a dead process's file locks. */
export function lockFor(path: string): DatabaseSync {
  createForUs(`${path}.lock`)
  const lock = new DatabaseSync(`${path}.lock`, { timeout: lockMs })
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
