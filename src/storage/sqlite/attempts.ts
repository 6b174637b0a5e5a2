/** What was tried and done with entries, as rows that their histories name; see ../history.ts. */
import { historyBytesMax, shortened } from '../history.ts'
import type { Attempt, Destination } from '../ports/entry.ts'
import type { Database } from './database.ts'

export interface AttemptRow extends Attempt {
  id: number
  org: string
  destination: Destination
  /** So many entries' histories name it. */
  remain: number
}

export function keepAttempt(db: Database, attempt: AttemptRow): void {
  const { id, org, destination, at, ms, status, many, tries, remain, reason, nextAt, excerpt } = attempt
  db.run(
    `INSERT INTO attempts (id, org, destination, at, ms, status, many, tries, remain, reason, next_at, excerpt)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    org,
    destination,
    at,
    ms,
    status,
    many,
    tries,
    remain,
    reason ?? null,
    nextAt ?? null,
    excerpt ?? null,
  )
}

/** Adds to an entry's history; a long one is shortened. `settledAt`: as it is from now on, where it changes. */
export function noteHistory(db: Database, id: number, notes: Uint8Array, settledAt?: number | null): void {
  const before = db.get('SELECT history FROM entries WHERE id = ?', id)?.history as Uint8Array | null | undefined
  const history = Buffer.concat([before ?? new Uint8Array(), notes])
  const short = history.length > historyBytesMax ? shortened(history) : { bytes: history, leftOut: [] }
  if (settledAt === undefined) db.run('UPDATE entries SET history = ? WHERE id = ?', short.bytes, id)
  else db.run('UPDATE entries SET history = ?, settled_at = ? WHERE id = ?', short.bytes, settledAt, id)
  for (const one of short.leftOut) letGoOfAttempt(db, one)
}

/** One entry less speaks of it: what was quoted of the answer goes at once, and the row with the last of them. */
export function letGoOfAttempt(db: Database, attempt: number): void {
  // mutant: keeps what an answer said of an event that was erased
  db.run('UPDATE attempts SET remain = remain - 1, excerpt = NULL WHERE id = ?', attempt)
  db.run('DELETE FROM attempts WHERE id = ? AND remain <= 0', attempt)
}
