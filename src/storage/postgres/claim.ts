/** Handing out entries in PostgreSQL: see claim_2 and more_all_1 in functions/. */
import { type Clock, systemClock } from '../../lib/clock.ts'
import { inGroups } from '../../lib/groups.ts'
import type { Body, Destination, Given, Lane, Placed } from '../ports/entry.ts'
import type { Claimed, ClaimOptions, Holder, Inbox, Lease } from '../ports/inbox.ts'
import { entryOf } from '../rows.ts'
import { columns } from './counts.ts'
import { type Database, prepared, type Row } from './database.ts'
import { give, givenOf } from './given.ts'
import { ownOf } from './lanes.ts'

const claiming = prepared('SELECT * FROM claim_2($1, $2, $3, $4, $5, $6, $7, $8, $9)')

export async function claim(
  db: Database,
  lane: Lane,
  { now, leaseMs, limit, bytesMax, holder, farAhead = false, room }: ClaimOptions,
): Promise<Claimed> {
  const rows = await db.alone(claiming, lane, ...ownOf(holder), now, now + leaseMs, farAhead, room, limit, bytesMax)
  const last = rows.at(-1)?.lane_org === null ? rows.pop() : undefined
  const leases = [...Map.groupBy(rows, ({ lane_org, lane_destination }) => `${lane_org} ${lane_destination}`).values()]
  return {
    leases: leases.map((given) => leaseOf(given, lane, holder)),
    ...(last && { nextDue: last.next_due === null ? undefined : Number(last.next_due) }),
  }
}

function leaseOf(rows: readonly Row[], lane: Lane, holder: Holder | undefined): Lease {
  const first = rows[0]!
  return {
    org: first.lane_org as string,
    destination: Number(first.lane_destination),
    lane,
    token: Number(first.token),
    failures: Number(first.lane_failures),
    crashes: Number(first.crashes),
    ...(holder && { holder: holder.id }),
    ...(first.blocked === null ? {} : { blocked: first.blocked as string }),
    ...(first.asked === 1 && { asked: true }),
    ...givenIn(eachOnce(rows), lane, Number(first.lane_destination)),
  }
}

/** One that several destinations ask about stands there for each of them: its body, if any, beside the first. */
function eachOnce(rows: readonly Row[]): Row[] {
  const seen = new Set<unknown>()
  return rows.filter(({ id }) => !seen.has(id) && seen.add(id))
}

interface GoingOn {
  lease: Lease
  after: number
  limits: { limit: number; bytesMax: number }
}

/** In one statement. */
const leasesMax = 16

/** Reads together what several leases go on with at once. */
export function openMore(db: Database, clock: Clock = systemClock): Inbox['more'] {
  const work = (group: GoingOn[]) => more(db, group)
  const groups = inGroups({ work, fits: (group) => group.length < leasesMax, clock })
  return (lease, after, limits) => groups.add({ lease, after, limits })
}

const goingOn = prepared('SELECT * FROM more_all_1($1, $2, $3, $4, $5, $6, $7, $8, $9)')

async function more(db: Database, group: readonly GoingOn[]): Promise<Given[]> {
  const leases = group.map(({ lease: { org, destination, token, holder }, lease, after, limits }) => {
    // mutant: lets a later event overtake one whose commit came late
    const known = after > 0 ? givenOf(lease) : undefined
    return { org, destination, token, holder, after, given: known?.length, ...limits, known }
  })
  const rows = await db.all(
    goingOn,
    ...columns(leases, ['org', 'destination', 'token', 'holder', 'after', 'given', 'limit', 'bytesMax']),
    leases.flatMap(({ known = [] }) => known),
  )
  const found = Map.groupBy(rows, ({ nth }) => Number(nth) - 1)
  return group.map(({ lease }, at) => {
    const { entries, bodies } = givenIn(found.get(at) ?? [], 'send', lease.destination)
    return { entries: give(lease, entries), bodies }
  })
}

/** What is sealed of a body stands beside its first entry. */
function givenIn(rows: readonly Row[], lane: Lane, destination: Destination): Given {
  const state = lane === 'send' ? 'waiting' : 'asking'
  const entries = rows.map((row): Placed => entryOf({ ...row, state }, destination))
  const bodies = rows.flatMap(({ sealed }, at): Body[] =>
    sealed === null ? [] : [{ ...entries[at]!.body, sealed: sealed as Uint8Array }],
  )
  return { entries, bodies }
}
