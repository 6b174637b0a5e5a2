/** Lanes in SQLite: when one is due, who has it, and what keeps it from being claimed. */
import type { Lane, LaneKey } from '../ports/entry.ts'
import type { Holder, Lease } from '../ports/inbox.ts'
import { probeWaitMsMax, waitMsMax } from '../waits.ts'
import type { Database } from './database.ts'

/** The rows of one lane: its values are `keyOf`. */
export const thisLane = 'org = ? AND destination = ? AND lane = ?'

export function keyOf({ org, destination, lane }: LaneKey) {
  return [org, destination, lane] as const
}

/** Takes some of the numbers that order everything; the first of them is one more than what this gives. */
export function takePlaces(db: Database, many: number): number {
  return Number(db.get('UPDATE places SET last = last + ? RETURNING last', many)?.last) - many
}

/**
 * Something is due in this lane from then on. One that is already ready, or backs off, stays as it is; one that only rests, until
 * its first lookup is due again or what waits for its contact alone, is ready earlier. Whether it has changed.
 */
export function makeReady(db: Database, key: LaneKey, at: number): boolean {
  return (
    db.run(
      `INSERT INTO lanes (org, destination, lane, ready_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (org, destination, lane) DO UPDATE SET ready_at = excluded.ready_at
       WHERE ready_at IS NULL OR (failures = 0 AND crashes = 0 AND blocked IS NULL
         AND ready_at > excluded.ready_at AND coalesce(retry_after_at, 0) <= excluded.ready_at)`,
      ...keyOf(key),
      at,
    ) === 1
  )
}

/** The lane may be claimed from `at` on if something waits in it, or when its first entry is due. */
export function settleLane(db: Database, key: LaneKey, at: number): void {
  const first =
    key.lane === 'send'
      ? db.get('SELECT 0 AS at FROM queue WHERE org = ? AND destination = ? LIMIT 1', key.org, key.destination)
      : db.get(
          `SELECT due_at AS at FROM exceptions WHERE org = ? AND state = 'asking' ORDER BY due_at LIMIT 1`,
          key.org,
        )
  // mutant: lets a lane fall asleep without looking
  const ready = first ? Math.max(at, Number(first.at)) : null
  db.run(`UPDATE lanes SET ready_at = ? WHERE ${thisLane}`, ready, ...keyOf(key))
}

/** The lane, while the lease is its holder's. */
export function heldLane(db: Database, lease: Lease) {
  return db.get(`SELECT crashes, isolating FROM lanes WHERE ${heldLease}`, ...heldBy(lease))
}

// mutant: lets a holder that lost its lease settle, in SQLite
const heldLease = `${thisLane} AND token = ? AND holder IS ? AND lease_until IS NOT NULL`

function heldBy(lease: Lease) {
  return [...keyOf(lease), lease.token, lease.holder ?? null]
}

export function renew(db: Database, lease: Lease, until: number): boolean {
  // mutant: judges a lease by the wall clock alone
  return db.run(`UPDATE lanes SET lease_until = ? WHERE ${heldLease}`, until, ...heldBy(lease)) === 1
}

export const longestMs = `CASE WHEN blocked IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`

/** Until when a lane is kept from a holder: by the lease of another or, without end (null), by its own work. */
// mutant: waits for its own lease that got lost, in SQLite
export const takenUntil = `CASE WHEN org || ' ' || destination IN (SELECT value FROM json_each(?)) THEN NULL
  WHEN holder = ? THEN 0 ELSE coalesce(lease_until, 0) END`

/** Who claims, without a name where none was said. */
export interface Claiming {
  id: Holder['id'] | null
  busy: Holder['busy']
}

export function ownOf(holder: Claiming | undefined) {
  const busy = holder?.busy.map(({ org, destination }) => `${org} ${destination}`) ?? []
  return [JSON.stringify(busy), holder?.id ?? null]
}

export function nextDue(db: Database, lane: Lane, holder?: Claiming): number | undefined {
  const due = db.get(
    `SELECT min(max(ready_at, ${takenUntil})) AS at FROM lanes
     WHERE lane = ? AND ready_at IS NOT NULL AND hold IS NULL`,
    ...ownOf(holder),
    lane,
  )?.at
  return typeof due === 'number' ? due : undefined
}
