/** Where an account's events go: its destinations, by number. */

import { perBody } from '../place.ts'
import type { Destination, Org } from '../ports/entry.ts'
import { tally } from './counts.ts'
import type { Database } from './database.ts'
import { takePlaces } from './lanes.ts'

export function destinationsOf(db: Database, org: Org): Destination[] {
  const sql = 'SELECT number FROM destinations WHERE org = ? AND removed_at IS NULL ORDER BY number'
  return db.all(sql, org).map(({ number }) => number as number)
}

export function allDestinations(db: Database): { org: Org; destination: Destination }[] {
  const rows = db.all('SELECT org, number FROM destinations WHERE removed_at IS NULL')
  return rows.map(({ org, number }) => ({ org: org as Org, destination: number as number }))
}

/** Those that an entry is meant for, by when they were added. */
export function meantFor(db: Database, org: Org, id: number): Destination[] {
  const sql = 'SELECT number FROM destinations WHERE org = ? AND removed_at IS NULL AND since < ? ORDER BY number'
  return db.all(sql, org, id).map(({ number }) => number as number)
}

export function addDestination(db: Database, org: Org, destination: Destination): void {
  const sql = 'INSERT INTO destinations (org, number, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
  db.run(sql, org, destination, (takePlaces(db, 1) + 1) * perBody)
}

/** An account has somewhere to send to: what comes for it must not find nothing. Gives its destinations. */
export function ensureDestination(db: Database, org: Org): Destination[] {
  const found = destinationsOf(db, org)
  if (found.length > 0) return found
  const last = db.get('SELECT coalesce(max(number), 0) AS last FROM destinations WHERE org = ?', org)!.last
  const first = Number(last) + 1
  addDestination(db, org, first)
  return [first]
}

export function removeDestination(db: Database, org: Org, destination: Destination, now: number): void {
  const isThere = db.run(
    'UPDATE destinations SET removed_at = ? WHERE org = ? AND number = ? AND removed_at IS NULL',
    now,
    org,
    destination,
  )
  if (isThere === 0) return
  const counts = tally()
  const gone = 'DELETE FROM queue WHERE org = ? AND destination = ? RETURNING id'
  const queued = db.all(gone, org, destination).map(({ id }) => id as number)
  const excepted = db.all('SELECT id, state FROM exceptions WHERE org = ? AND destination = ?', org, destination)
  db.run('DELETE FROM exceptions WHERE org = ? AND destination = ?', org, destination)
  const left = [
    ...queued.map((id) => ({ id, outcome: 'expired' as const })),
    // What waits has been counted with the queue.
    ...excepted.flatMap(({ id, state }) =>
      state === 'waiting'
        ? []
        : [{ id: id as number, outcome: state === 'dead' ? ('dead' as const) : ('expired' as const) }],
    ),
  ]
  for (const { id, outcome } of left) {
    const type = db.get('UPDATE entries SET settled_at = coalesce(settled_at, ?) WHERE id = ? RETURNING type', now, id)!
      .type as string
    counts.add({ org, destination, type, outcome })
  }
  db.run('DELETE FROM lanes WHERE org = ? AND destination = ?', org, destination)
  db.run('DELETE FROM occurrences WHERE org = ? AND destination = ?', org, destination)
  counts.write(db)
}
