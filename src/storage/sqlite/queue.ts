/** Where an entry stands at a destination: in its queue, or among the exceptions. */
import { perBody } from '../place.ts'
import type { Destination, Org } from '../ports/entry.ts'
import type { Database } from './database.ts'
import { makeReady, takePlaces } from './lanes.ts'

export function destinationsOf(db: Database, org: Org): Destination[] {
  const sql = 'SELECT number FROM destinations WHERE org = ? AND removed_at IS NULL'
  return db.all(sql, org).map(({ number }) => number as number)
}

/** From now on it is to be sent there. Gives nothing back: its lane is the caller's to wake. */
export function enqueue(
  db: Database,
  { org, destination }: { org: string; destination: Destination },
  place: number,
  id: number,
  lane: 0 | 1 = 0,
): void {
  const sql = 'INSERT INTO queue (org, destination, lane, place, id) VALUES (?, ?, ?, ?, ?)'
  db.run(sql, org, destination, lane, place, id)
}

export interface Exception {
  org: string
  state: 'waiting' | 'asking' | 'unclaimed' | 'quarantined' | 'dead'
  reason?: string | undefined
  receivedAt: number
  dueAt?: number | null
  place?: number
  once?: Uint8Array | undefined
}

/** It has left the simple way there; what was said of it before is forgotten. */
export function except(db: Database, id: number, destination: Destination, what: Exception): void {
  db.run(
    `INSERT OR REPLACE INTO exceptions (id, destination, org, state, reason, received_at, due_at, place, once)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    destination,
    what.org,
    what.state,
    what.reason ?? null,
    what.receivedAt,
    what.dueAt ?? null,
    what.place ?? null,
    what.once ?? null,
  )
}

/** The entry waits again, last in the queue of a destination. */
export function comeBack(
  db: Database,
  what: { org: string; destination: Destination; id: number; receivedAt: number; at: number },
): void {
  const { org, destination, id, receivedAt, at } = what
  const place = (takePlaces(db, 1) + 1) * perBody
  enqueue(db, what, place, id)
  except(db, id, destination, { org, state: 'waiting', receivedAt, place })
  makeReady(db, { org, destination, lane: 'send' }, at)
}

/** Out of a destination's queue; false when it was not there. */
export function dequeue(
  db: Database,
  { org, destination }: { org: string; destination: Destination },
  id: number,
): boolean {
  const sql = 'DELETE FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place = ? AND id = ?'
  if (db.run(sql, org, destination, id, id) === 1) return true
  const back = db.get(
    `DELETE FROM exceptions WHERE id = ? AND destination = ? AND org = ? AND state = 'waiting' RETURNING place`,
    id,
    destination,
    org,
  )
  return back !== undefined && db.run(sql, org, destination, back.place!, id) === 1
}

/** Whether it is to be sent there, and never left that queue. One that has come back is an exception. */
export function isQueued(
  db: Database,
  { org, destination }: { org: string; destination: Destination },
  id: number,
): boolean {
  const sql = 'SELECT 1 FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place = ?'
  return db.get(sql, org, destination, id) !== undefined
}

/** Nothing is to be done with it any more, at any destination. */
export function isFinal(db: Database, org: string, id: number): boolean {
  if (db.get('SELECT 1 FROM exceptions WHERE id = ? LIMIT 1', id)) return false
  return destinationsOf(db, org).every((destination) => !isQueued(db, { org, destination }, id))
}
