/** Handing out entries in PostgreSQL: see claim_1 and more_1 in functions.ts. */
import type { Body, Destination, Given, Lane, Placed } from '../ports/entry.ts'
import type { Claimed, ClaimOptions, Holder, Lease } from '../ports/inbox.ts'
import { entryOf } from '../rows.ts'
import { type Database, prepared, type Row } from './database.ts'
import { give, givenOf } from './given.ts'
import { ownOf } from './lanes.ts'

const claiming = prepared('SELECT * FROM claim_1($1, $2, $3, $4, $5, $6, $7, $8, $9)')

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
    ...(first.trouble === null ? {} : { trouble: first.trouble as string }),
    ...(first.asked === 1 && { asked: true }),
    ...givenIn(rows, lane, Number(first.lane_destination)),
  }
}

const goingOn = prepared('SELECT * FROM more_1($1, $2, $3, $4, $5, $6, $7, $8)')

export async function more(
  db: Database,
  lease: Lease,
  after: number,
  { limit, bytesMax }: { limit: number; bytesMax: number },
): Promise<Given> {
  const { org, destination, token, holder = null } = lease
  // mutant: lets a later event overtake one whose commit came late
  const known = after > 0 ? givenOf(lease) : null
  const rows = await db.all(goingOn, org, destination, token, holder, after, known, limit, bytesMax)
  const { entries, bodies } = givenIn(rows, 'send', destination)
  return { entries: give(lease, entries), bodies }
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
