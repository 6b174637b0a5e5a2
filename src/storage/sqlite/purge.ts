/**
 * What was erased, taken out of where SQLite leaves it. `secure_delete` overwrites the rows, but until the log is empty it
 * holds the pages as they were; and where SQLite has divided a page, a copy of a row may lie between its used parts, which
 * only rewriting the file removes.
 */
import { statSync } from 'node:fs'
import type { Purged } from '../ports/storage.ts'
import type { Database } from './database.ts'
import { primaryCode } from './errors.ts'

/** A log longer than this is truncated once no process reads it any more; SQLite itself would leave it as long as it ever was. */
export const logBytesMax = 16 * 1024 * 1024
/** A file up to this size is rewritten after each erasing; webhooks wait meanwhile, about a second. */
const vacuumBytesMax = 64 * 1024 * 1024
/** How long commits wait, at most, for those who read an older state, each time that the log is to be emptied. */
const waitMs = 100
/** SQLITE_BUSY of sqlite.org/rescode.html. */
const busy = 5

/** In the transaction that erases, so that a crash cannot come between. */
export function noteErasure(db: Database): void {
  db.run('UPDATE erasures SET last = last + 1')
}

/** Not within a transaction. */
export function purge(db: Database): Purged {
  const { last, logged, purged } = db.get('SELECT last, logged, purged FROM erasures') as Record<string, number>
  const isErased = last! > purged!
  if (last! === logged! && logBytes(db.path) <= logBytesMax) return isErased ? 'compact' : 'done'
  // The most of it while commits go on.
  db.get('PRAGMA wal_checkpoint(PASSIVE)')
  if (!truncateLog(db, waitMs)) return isErased ? 'log_held' : 'done'
  const isSmall = isErased && fileBytes(db) <= vacuumBytesMax
  try {
    if (isSmall) db.exec('VACUUM')
  } catch (error) {
    if (primaryCode(error) === busy) return 'log_held'
    throw error
  }
  // What VACUUM has written is in the log, and the file is as it was until that is empty again.
  if (isSmall && !truncateLog(db, waitMs)) return 'log_held'
  db.run('UPDATE erasures SET logged = max(logged, ?), purged = max(purged, ?)', last!, isSmall ? last! : purged!)
  return isErased && !isSmall ? 'compact' : 'done'
}

/** What purge would say, without doing it. */
export function purgedSoFar(db: Database): Purged {
  const { last, logged, purged } = db.get('SELECT last, logged, purged FROM erasures') as Record<string, number>
  if (last! > logged!) return 'log_held'
  return last! > purged! ? 'compact' : 'done'
}

/** False when others read an older state, or write, for longer than this. */
export function truncateLog(db: Pick<Database, 'exec' | 'get'>, patienceMs: number): boolean {
  const timeout = db.get('PRAGMA busy_timeout')?.timeout
  db.exec(`PRAGMA busy_timeout = ${patienceMs}`)
  try {
    // mutant: says that all is erased while the log has it still
    return db.get('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeout}`)
  }
}

/** `path`: where the file really lies; SQLite puts the log beside that. */
export function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

function fileBytes(db: Database): number {
  const number = (name: string) => Number(db.get(`PRAGMA ${name}`)?.[name])
  return number('page_count') * number('page_size')
}
