/** Handing out entries in SQLite: a claim gives a lane's lease, with the first of what waits in it. */
import { beginsIsolating, isForAlone } from '../isolating.ts'
import { bodyOf } from '../place.ts'
import { type Given, historyFrom, isBehind, type Lane, type LaneKey, type Placed } from '../ports/entry.ts'
import type { ClaimOptions, Lease } from '../ports/inbox.ts'
import { cautionOf, entryOf, learntAt } from '../rows.ts'
import { waitMsMax } from '../waits.ts'
import type { Database, Row } from './database.ts'
import {
  type Claiming,
  heldLane,
  keyOf,
  longestMs,
  nextDue,
  ownOf,
  settleLane,
  takenUntil,
  takePlaces,
  thisLane,
} from './lanes.ts'
import { type TransferredClaim, type TransferredGiven, transferClaim, transferGiven } from './transfer.ts'

export function claim(db: Database, lane: Lane, options: ClaimOptions): TransferredClaim {
  const { holder, room } = options
  const leases: Lease[] = []
  // What it gives is its holder's work from then on, and no lease that got lost.
  const claiming = () => ({ id: holder?.id ?? null, busy: [...(holder?.busy ?? []), ...leases] })
  while (leases.length < room) {
    const found = nextReady(db, lane, options, claiming())
    // One that may have ended processes comes by itself: with it ends the claim, or before it.
    if (!found || (leases.length > 0 && isForAlone(found))) break
    const lease = leased(db, found, options)
    if (lease) leases.push(lease)
    if (lease && isForAlone(found)) break
  }
  if (leases.length === room) return transferClaim({ leases })
  return transferClaim({ leases, nextDue: nextDue(db, lane, claiming()) })
}

interface Ready extends LaneKey {
  token: number
  failures: number
  crashes: number
  isolating: number
  blocked: string | null
  asked: boolean
}

/** The lane whose turn is next, not leased yet. */
function nextReady(db: Database, lane: Lane, { now, farAhead }: ClaimOptions, holder: Claiming): Ready | undefined {
  // That it is not null is said for the planner's sake: only then it takes the index of those that have something to do.
  const found = db.get(
    `SELECT org, destination, token, failures, crashes, isolating, blocked, lease_until, asked, holder = ? AS own FROM lanes
     WHERE lane = ? AND hold IS NULL AND ready_at IS NOT NULL
       AND (ready_at <= ? OR ? AND ready_at > ? + ${longestMs}) AND ${takenUntil} <= ?
     ORDER BY served LIMIT 1`,
    holder.id,
    lane,
    now,
    farAhead ? 1 : 0,
    now,
    ...ownOf(holder),
    now,
  )
  if (!found) return undefined
  // mutant: does not count a crash before it works
  const crashes = Number(found.crashes) + (found.lease_until === null || found.own === 1 ? 0 : 1)
  return {
    org: found.org as string,
    destination: found.destination as number,
    lane,
    token: Number(found.token),
    failures: Number(found.failures),
    crashes,
    isolating: cautionOf(found).isolating,
    blocked: found.blocked as string | null,
    asked: found.asked === 1,
  }
}

/** Its lease, or nothing where nothing was in the queue after all. */
function leased(
  db: Database,
  { token: last, failures, crashes, isolating, blocked, asked, ...key }: Ready,
  options: ClaimOptions,
): Lease | undefined {
  const { now, leaseMs, holder, farAhead } = options
  const single = blocked !== null || isolating > 0
  const token = last + 1
  db.run(
    `UPDATE lanes SET token = ?, lease_until = ?, holder = ?, crashes = ?, served = ? WHERE ${thisLane}`,
    token,
    now + leaseMs,
    holder?.id ?? null,
    crashes,
    takePlaces(db, 1),
    ...keyOf(key),
  )
  if (key.lane === 'ask' && farAhead) {
    const sql = `UPDATE exceptions SET due_at = ? WHERE org = ? AND state = 'asking' AND due_at > ?`
    db.run(sql, now, key.org, now + waitMsMax)
  }
  const given = firstEntries(db, key, { ...options, after: 0, limit: single ? 1 : options.limit })
  if (beginsIsolating({ crashes, isolating })) {
    const many = given.entries.splice(1).length + 1
    db.run(`UPDATE lanes SET isolating = ? WHERE ${thisLane}`, many, ...keyOf(key))
  }
  if (given.entries.length === 0) {
    // What was to blame for a lease that ran out is not there any more.
    const sql = `UPDATE lanes SET lease_until = NULL, crashes = 0, isolating = 0, asked = 0 WHERE ${thisLane}`
    db.run(sql, ...keyOf(key))
    settleLane(db, key, now)
    return undefined
  }
  const said = {
    ...(blocked === null ? {} : { blocked }),
    ...(asked && { asked: true as const }),
    ...(holder && { holder: holder.id }),
  }
  return { ...key, token, failures, crashes, ...said, ...given }
}

export function more(
  db: Database,
  lease: Lease,
  after: number,
  limits: { limit: number; bytesMax: number },
): TransferredGiven {
  const goesOn = heldLane(db, lease)?.isolating === 0
  return transferGiven(goesOn ? firstEntries(db, lease, { now: 0, after, ...limits }) : { entries: [], bodies: [] })
}

const columns = `e.*, b.version, b.n, length(b.sealed) AS sealed_bytes, ${learntAt('i.destination')} AS known`
const joined = `JOIN entries e ON e.id = i.id LEFT JOIN bodies b ON b.id = e.id - e.id % 128`

function firstEntries(
  db: Database,
  { org, destination, lane }: LaneKey,
  { now, after, limit, bytesMax }: { now: number; after: number; limit: number; bytesMax: number },
): Given {
  const rows =
    lane === 'send'
      ? db.iterate(
          // mutant: keeps no order in an account, in SQLite
          `SELECT ${columns}, i.lane * ${historyFrom} + i.place AS place, 'waiting' AS state, 0 AS failures FROM queue i ${joined}
           WHERE i.org = ? AND i.destination = ? AND (i.lane, i.place) > (?, ?) ORDER BY i.lane, i.place LIMIT ?`,
          org,
          destination,
          ...laneAndPlace(after),
          limit,
        )
      : db.iterate(
          `SELECT ${columns}, i.id AS place, 'asking' AS state, i.failures FROM exceptions i ${joined}
           WHERE i.org = ? AND i.state = 'asking' AND i.due_at <= ? ORDER BY i.due_at, i.id LIMIT ?`,
          org,
          now,
          limit,
        )
  const entries: Placed[] = []
  const seen = new Set<unknown>()
  const bodies = new Set<number>()
  let bytes = 0
  for (const row of rows) {
    // One that several destinations ask about stands there for each of them.
    if (seen.has(row.id)) continue
    seen.add(row.id)
    const body = bodyOf(row.id as number)
    if (!bodies.has(body)) {
      bytes += Number(row.sealed_bytes)
      if (entries.length > 0 && bytes > bytesMax) break
      bodies.add(body)
    }
    entries.push(entryOf(row, destination))
  }
  return { entries, bodies: [...bodies].flatMap((id) => bodyAt(db, id) ?? []) }
}

/** Of the queue, what the caller knows as one place. */
function laneAndPlace(place: number): [lane: number, place: number] {
  return isBehind(place) ? [1, place - historyFrom] : [0, place]
}

/** A body by its id, with what is sealed. */
export function bodyAt(db: Database, id: number) {
  const row: Row | undefined = db.get('SELECT id, version, sealed FROM bodies WHERE id = ?', id)
  return (
    row && {
      id,
      version: row.version as number,
      sealed: row.sealed as Uint8Array,
    }
  )
}
