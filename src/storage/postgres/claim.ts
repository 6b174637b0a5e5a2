/** What is claimed in PostgreSQL, and when more may be. */
import { beginsCareful, isForAlone } from '../careful.ts'
import {
  type Claimed,
  crashesBeforeAlone,
  type Holder,
  type Inbox,
  type Lane,
  type Lease,
  type Placed,
} from '../ports.ts'
import { cautionOf, entryOf } from '../rows.ts'
import { probeWaitMsMax, waitMsMax } from '../waits.ts'
import { type Database, type Prepared, prepared, type Row } from './database.ts'
import { give, givenOf } from './given.ts'
import { firstDue, heldBy, heldLease } from './lanes.ts'
import { lock } from './locks.ts'

/** Until when a lane is kept from the holder `$2`: by the lease of another or, without end (null), by its own work (`$3`). */
const takenUntil = `CASE WHEN org = ANY ($3) THEN NULL WHEN holder = $2 THEN 0 ELSE coalesce(lease_until, 0) END`

const longestMs = `CASE WHEN trouble IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`

const dueAt = (condition: string) => `
SELECT min(CASE WHEN taken_until IS NOT NULL THEN greatest(ready_at, taken_until) END) AS at
FROM (SELECT ready_at, ${takenUntil} AS taken_until FROM lanes
      WHERE lane = $1 AND ready_at IS NOT NULL AND hold IS NULL AND ${condition}) l`

/**
 * Leases at most `$7` lanes in turn, and gives with them, where there was room for more, when the next one is due. Waits
 * for no other transaction: a lane that one is busy with is passed over.
 */
const leasing = prepared(`
WITH found AS MATERIALIZED (
  SELECT org, served, crashes + (lease_until IS NOT NULL AND (holder = $2) IS NOT TRUE)::integer AS crashes FROM lanes
  WHERE lane = $1 AND hold IS NULL AND (ready_at <= $4 OR $6 AND ready_at > $4 + ${longestMs}) AND ${takenUntil} <= $4
  ORDER BY served LIMIT $7 FOR UPDATE SKIP LOCKED
), chosen AS MATERIALIZED (
  SELECT nextval('places') AS turn, c.org, c.crashes FROM (
    SELECT org, crashes, row_number() OVER inTurn AS nth, bool_or(crashes >= ${crashesBeforeAlone}) OVER inTurn AS alone
    FROM found WINDOW inTurn AS (ORDER BY served ROWS UNBOUNDED PRECEDING)
  ) c WHERE nth = 1 OR NOT alone
), leased AS (
  UPDATE lanes l SET token = l.token + 1, lease_until = $5, holder = $2, crashes = c.crashes, served = c.turn
  FROM chosen c WHERE l.org = c.org AND l.lane = $1
  RETURNING l.org, l.token, l.failures, l.crashes, l.careful, l.trouble, l.asked, l.served
), next AS (
  SELECT CASE WHEN (SELECT count(*) FROM chosen) < $7
    THEN (${dueAt('org NOT IN (SELECT org FROM chosen)')}) END AS at
)
SELECT leased.*, next.at FROM next LEFT JOIN leased ON true ORDER BY served`)

const entryColumns =
  'e.id, e.place, e.org, e.type, e.state, e.message_id, e.received_at, e.mapping, e.failures, e.contact, e.conversation'

/** The first entries in each line: at most as many as `$2` says, due at `$4`, and no more than `$3` of bodies, one at least. */
const firstInLines: Record<Lane, Prepared> = {
  send: inLines(`state = 'waiting' AND $4::bigint IS NOT NULL`, 'place'),
  ask: inLines(`state = 'asking' AND due_at <= $4`, 'due_at, place'),
}

/** As the first in line, behind the place `$4`. */
const next = prepared(inOrder(`org = $1 AND state = 'waiting' AND place > $4`, 'place', '$2'))

/** What was not given yet: behind the place `$4`, and before it what was committed late. */
const following = prepared(
  inOrder(`org = $1 AND state = 'waiting' AND (place > $4 OR id NOT IN (SELECT unnest($5::bigint[])))`, 'place', '$2'),
)

function inLines(condition: string, rank: string): Prepared {
  const ofOne = inOrder(`org = g.org AND ${condition}`, rank, 'g.many')
  return prepared(`
SELECT f.* FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS g (org, many, turn)
CROSS JOIN LATERAL (${ofOne}) f ORDER BY g.turn, f.nth`)
}

function inOrder(condition: string, rank: string, limit: string): string {
  return `
SELECT ${entryColumns}, e.nth, b.body, b.known
FROM (
  SELECT *, sum(bytes) OVER (ORDER BY ${rank}) AS sum, row_number() OVER (ORDER BY ${rank}) AS nth
  FROM (SELECT * FROM entries WHERE ${condition} ORDER BY ${rank} LIMIT ${limit}) e
) e
JOIN bodies b ON b.id = e.id
WHERE nth = 1 OR sum <= $3 ORDER BY nth`
}

/** A lane that was leased and turns out to be empty is given back, and another one has its room. */
export async function claim(db: Database, lane: Lane, options: Parameters<Inbox['claim']>[1]): Promise<Claimed> {
  const { now, leaseMs, holder, farAhead = false, room } = options
  const leases: Lease[] = []
  for (;;) {
    // Entries are looked at once the lanes are ours, and not as of the moment before. Should that fail, the leases are such
    // as got lost, and are given again at once.
    const busy = [...(holder?.busy ?? []), ...leases.map(({ org }) => org)]
    const left = room - leases.length
    const rows = await db.all(leasing, lane, holder?.id ?? null, busy, now, now + leaseMs, farAhead, left)
    const leased = rows.filter(({ org }) => org !== null)
    const found = leased.length > 0 ? await withEntries(db, lane, leased, options) : []
    leases.push(...found.filter(({ entries }) => entries.length > 0))
    const empty = found.filter(({ entries }) => entries.length === 0)
    if (empty.length === 0) return { leases, nextDue: (rows[0]!.at as number | null) ?? undefined }
    for (const lease of empty) await giveBackEmpty(db, lease, now)
    if (leases.some(isForAlone)) return { leases, nextDue: now }
  }
}

/** The leases of these lanes, with the entries that are first in their lines now. */
async function withEntries(
  db: Database,
  lane: Lane,
  leased: readonly Row[],
  { now, limit, bytesMax, holder, farAhead }: Parameters<Inbox['claim']>[1],
): Promise<Lease[]> {
  const orgs = leased.map(({ org }) => org as string)
  if (lane === 'ask' && farAhead) {
    const sql = `UPDATE entries SET due_at = $1 WHERE org = ANY ($2) AND state = 'asking' AND due_at > $3`
    await db.run(sql, now, orgs, now + waitMsMax)
  }
  const many = leased.map(({ trouble, careful }) => (trouble !== null || Number(careful) > 0 ? 1 : limit))
  const rows = await db.all(firstInLines[lane], orgs, many, bytesMax, now)
  const entriesOf = Map.groupBy(rows.map(entryOf), ({ org }) => org)
  const leases: Lease[] = []
  for (const row of leased) {
    const org = row.org as string
    const { crashes, careful } = cautionOf(row)
    const entries = entriesOf.get(org) ?? []
    if (beginsCareful({ crashes, careful })) {
      const many = entries.splice(1).length + 1
      await db.run('UPDATE lanes SET careful = $1 WHERE org = $2 AND lane = $3', many, org, lane)
    }
    leases.push({
      org,
      lane,
      token: Number(row.token),
      failures: Number(row.failures),
      crashes,
      ...(holder && { holder: holder.id }),
      ...(row.trouble === null ? {} : { trouble: row.trouble as string }),
      ...(row.asked === 1 && { asked: true }),
      entries,
    })
  }
  return leases
}

const goingOn = prepared(`SELECT 1 FROM lanes WHERE ${heldLease} AND careful = 0`)
const renewing = prepared(`UPDATE lanes SET lease_until = $5 WHERE ${heldLease}`)

export async function more(
  db: Database,
  lease: Lease,
  after: number,
  { limit, bytesMax }: { limit: number; bytesMax: number },
): Promise<Placed[]> {
  const goesOn = await db.get(goingOn, ...heldBy(lease))
  if (!goesOn) return []
  // mutant: lets a later event overtake one whose commit came late
  const known = after > 0 ? givenOf(lease) : undefined
  const rows = known
    ? await db.all(following, lease.org, limit, bytesMax, after, known)
    : await db.all(next, lease.org, limit, bytesMax, after)
  return give(lease, rows.map(entryOf))
}

/** Nothing was in line after all. Under the account's lock, so that the lane does not fall asleep while something arrives. */
async function giveBackEmpty(db: Database, { org, lane, token }: Lease, now: number): Promise<void> {
  await db.transaction(async (session) => {
    await lock(session, [org])
    const sql = `UPDATE lanes SET lease_until = NULL, crashes = 0, careful = 0, asked = 0, ready_at = (${firstDue[lane]})
                 WHERE org = $1 AND lane = $3 AND token = $4`
    await session.run(sql, org, now, lane, token)
  })
}

export async function renew(db: Database, lease: Lease, until: number): Promise<boolean> {
  return (await db.run(renewing, ...heldBy(lease), until)) === 1
}

export async function nextDue(db: Database, lane: Lane, holder?: Holder): Promise<number | undefined> {
  const due = await db.get(dueNext, lane, ...ownOf(holder))
  return due!.at === null ? undefined : Number(due!.at)
}

const dueNext = prepared(dueAt('true'))

function ownOf(holder: Holder | undefined) {
  return [holder?.id ?? null, holder?.busy ?? []] as const
}
