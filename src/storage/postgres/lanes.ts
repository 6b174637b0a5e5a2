/** Lanes in PostgreSQL: when one is due, who has it, and what keeps it from being claimed. */
import type { Lane, LaneKey } from '../ports/entry.ts'
import type { Following, Holder, Lease } from '../ports/inbox.ts'
import { columns } from './counts.ts'
import { type Database, prepared, type Session } from './database.ts'
import { lock } from './locks.ts'

/** The rows of one lane: its values are `keyOf`. */
const thisLane = 'org = $1 AND destination = $2 AND lane = $3'

export function keyOf({ org, destination, lane }: LaneKey) {
  return [org, destination, lane] as const
}

/** The lane of a lease, while it is its holder's: its values are `heldBy`. */
export const heldLease = `${thisLane} AND token = $4 AND holder IS NOT DISTINCT FROM $5 AND lease_until IS NOT NULL`

export function heldBy(lease: Lease) {
  return [...keyOf(lease), lease.token, lease.holder ?? null] as const
}

/** Until when a lane is kept from the holder `$2`: by the lease of another or, without end (null), by its own work (`$3`). */
const takenUntil = `CASE WHEN org || ' ' || destination = ANY ($3) THEN NULL WHEN holder = $2 THEN 0 ELSE coalesce(lease_until, 0) END`

export function ownOf(holder: Holder | undefined) {
  return [holder?.id ?? null, holder?.busy.map(({ org, destination }) => `${org} ${destination}`) ?? []] as const
}

/** Something is due in these lanes from then on. The accounts' locks are ours. */
export async function makeReady(session: Session, lanes: readonly (LaneKey & { at: number })[]): Promise<void> {
  if (lanes.length > 0) await session.all(waking, ...columns(lanes, ['org', 'destination', 'lane', 'at']))
}

const waking = prepared('SELECT * FROM wake_2($1, $2, $3, $4)')

/** When the first entry of a lane can be worked on, at `at` the earliest; null where the lane has no entry. */
const firstDue = (at: string) => `CASE l.lane
    WHEN 'send' THEN (SELECT ${at}::bigint FROM queue WHERE org = l.org AND destination = l.destination LIMIT 1)
    ELSE (SELECT greatest(${at}::bigint, due_at) FROM exceptions WHERE org = l.org AND state = 'asking' ORDER BY due_at LIMIT 1)
  END`

const renewing = prepared(`UPDATE lanes SET lease_until = $6 WHERE ${heldLease}`)

export async function renew(db: Database, lease: Lease, until: number): Promise<boolean> {
  return (await db.run(renewing, ...heldBy(lease), until)) === 1
}

export async function nextDue(db: Database, lane: Lane, holder?: Holder): Promise<number | undefined> {
  const due = await db.get(dueNext, lane, ...ownOf(holder))
  return due!.at === null ? undefined : Number(due!.at)
}

const dueNext = prepared(`
SELECT min(CASE WHEN taken_until IS NOT NULL THEN greatest(ready_at, taken_until) END) AS at
FROM (SELECT ready_at, ${takenUntil} AS taken_until FROM lanes
      WHERE lane = $1 AND ready_at IS NOT NULL AND hold IS NULL) l`)

/** Accounts whose locks one transaction takes. */
const followMax = 200

export async function follow(db: Database, lanes: readonly Following[], now: number): Promise<void> {
  const held = lanes.flatMap(({ is, ...key }) => (is === 'resumed' ? [] : [{ ...key, hold: is.held }]))
  const free = lanes.filter(({ is }) => is === 'resumed')
  if (held.length > 0) await db.run(holdingMany, ...columns(held, ['org', 'destination', 'lane', 'hold']))
  if (free.length === 0) return
  const kept = await db.all(keptBack, ...columns(free, ['org', 'destination', 'lane']), now)
  for (let at = 0; at < kept.length; at += followMax) {
    const some = kept.slice(at, at + followMax) as unknown as LaneKey[]
    await db.transaction(async (session) => {
      await lock(
        session,
        some.map(({ org }) => org),
      )
      await session.run(resumingMany, ...columns(some, ['org', 'destination', 'lane']), now)
    })
  }
}

const same = (one: string, other: string) =>
  `${one}.org = ${other}.org AND ${one}.destination = ${other}.destination AND ${one}.lane = ${other}.lane`

const holdingMany = `
INSERT INTO lanes (org, destination, lane, hold)
SELECT g.org, g.destination, g.lane, g.hold
FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[]) AS g (org, destination, lane, hold)
LEFT JOIN lanes l ON ${same('l', 'g')} WHERE l.hold IS DISTINCT FROM g.hold ORDER BY g.org, g.destination, g.lane
ON CONFLICT (org, destination, lane) DO UPDATE SET hold = excluded.hold`

/** Lanes that something keeps from being claimed. */
const keptBack = `
SELECT l.org, l.destination, l.lane FROM unnest($1::text[], $2::integer[], $3::text[]) AS g (org, destination, lane)
JOIN lanes l ON ${same('l', 'g')}
WHERE l.hold IS NOT NULL OR l.blocked IS NOT NULL OR l.failures > 0 OR l.ready_at > $4
  OR l.ready_at IS NULL AND (${firstDue('$4')}) IS NOT NULL
ORDER BY l.org, l.destination, l.lane`

const resumingMany = `
UPDATE lanes l SET hold = NULL, blocked = NULL, failures = 0, ready_at = ${firstDue('$4')}
FROM unnest($1::text[], $2::integer[], $3::text[]) AS g (org, destination, lane) WHERE ${same('l', 'g')}`
