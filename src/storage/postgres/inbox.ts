/** The inbox in PostgreSQL, but for appending and settling: what is claimed, and what may be claimed. */
import { leftAlone } from '../../lib/backoff.ts'
import { beginsCareful } from '../careful.ts'
import type { Asked, Following, Holder, Inbox, Lane, Lease, Placed, Redriven } from '../ports.ts'
import { cautionOf, entryOf, laneOf } from '../rows.ts'
import { askedOf, probeWaitMsMax, waitMsMax } from '../waits.ts'
import { columns, tally } from './counts.ts'
import { type Database, type Prepared, prepared, type Session } from './database.ts'
import { give, givenOf } from './given.ts'
import { firstDue, heldBy, heldLease, makeReady, settleLane } from './lanes.ts'
import { lock } from './locks.ts'

/** Until when a lane is kept from the holder `$2`: by the lease of another or, without end (null), by its own work (`$3`). */
const takenUntil = `CASE WHEN org = ANY ($3) THEN NULL WHEN holder = $2 THEN 0 ELSE coalesce(lease_until, 0) END`

const longestMs = `CASE WHEN trouble IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`

/** Waits for nobody: a lane that somebody else is busy with is passed over. */
const leasing = prepared(`
WITH found AS MATERIALIZED (
  SELECT org, lane, crashes + (lease_until IS NOT NULL AND (holder = $2) IS NOT TRUE)::integer AS crashes FROM lanes
  WHERE lane = $1 AND hold IS NULL AND (ready_at <= $4 OR $6 AND ready_at > $4 + ${longestMs}) AND ${takenUntil} <= $4
  ORDER BY served LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE lanes l SET token = l.token + 1, lease_until = $5, holder = $2, crashes = f.crashes, served = nextval('places')
FROM found f WHERE l.org = f.org AND l.lane = f.lane
RETURNING l.org, l.token, l.failures, l.crashes, l.careful, l.trouble, l.asked`)

const entryColumns =
  'e.id, e.place, e.org, e.type, e.state, e.message_id, e.received_at, e.mapping, e.failures, e.contact, e.conversation'

/** The first entries in line: at most `$2`, due at `$4` or placed after it, and no more than `$3` of bodies, one at least. */
const firstInLine: Record<Lane, Prepared> = {
  send: inOrder(`state = 'waiting' AND place > $4`, 'place'),
  ask: inOrder(`state = 'asking' AND due_at <= $4`, 'due_at, place'),
}

/** What was not given yet: behind the place `$4`, and before it what was committed late. */
const following = inOrder(`state = 'waiting' AND (place > $4 OR id NOT IN (SELECT unnest($5::bigint[])))`, 'place')

function inOrder(condition: string, rank: string): Prepared {
  return prepared(`
SELECT ${entryColumns}, b.body, b.known
FROM (
  SELECT *, sum(bytes) OVER (ORDER BY ${rank}) AS sum, row_number() OVER (ORDER BY ${rank}) AS nth
  FROM (SELECT * FROM entries WHERE org = $1 AND ${condition} ORDER BY ${rank} LIMIT $2) e
) e
JOIN bodies b ON b.id = e.id
WHERE nth = 1 OR sum <= $3 ORDER BY nth`)
}

export async function claim(
  db: Database,
  lane: Lane,
  { now, leaseMs, limit, bytesMax, holder, farAhead = false }: Parameters<Inbox['claim']>[1],
): Promise<Lease | undefined> {
  for (;;) {
    // Entries are looked at once the lane is ours, and not as of the moment before. Should that fail, the lease is one that
    // got lost, and is given again at once.
    const leased = await db.get(leasing, lane, ...ownOf(holder), now, now + leaseMs, farAhead)
    if (!leased) return undefined
    const org = leased.org as string
    if (lane === 'ask' && farAhead) {
      const sql = `UPDATE entries SET due_at = $1 WHERE org = $2 AND state = 'asking' AND due_at > $3`
      await db.run(sql, now, org, now + waitMsMax)
    }
    const { crashes, careful } = cautionOf(leased)
    const single = leased.trouble !== null || careful > 0
    const entries = await db.all(firstInLine[lane], org, single ? 1 : limit, bytesMax, lane === 'send' ? 0 : now)
    if (beginsCareful({ crashes, careful })) {
      const many = entries.splice(1).length + 1
      await db.run('UPDATE lanes SET careful = $1 WHERE org = $2 AND lane = $3', many, org, lane)
    }
    const lease: Lease = {
      org,
      lane,
      token: Number(leased.token),
      failures: Number(leased.failures),
      crashes,
      ...(holder && { holder: holder.id }),
      ...(leased.trouble === null ? {} : { trouble: leased.trouble as string }),
      ...(leased.asked === 1 && { asked: true }),
      entries: entries.map(entryOf),
    }
    if (lease.entries.length > 0) return lease
    await giveBackEmpty(db, lease, now)
  }
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
    : await db.all(firstInLine.send, lease.org, limit, bytesMax, after)
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

const dueNext = prepared(`
SELECT min(CASE WHEN taken_until IS NOT NULL THEN greatest(ready_at, taken_until) END) AS at
FROM (SELECT ready_at, ${takenUntil} AS taken_until FROM lanes
      WHERE lane = $1 AND ready_at IS NOT NULL AND hold IS NULL) l`)

function ownOf(holder: Holder | undefined) {
  return [holder?.id ?? null, holder?.busy ?? []] as const
}

export async function clockSetBack(db: Database, byMs: number, now: number): Promise<void> {
  await db.transaction(async (session) => {
    const lanes = 'UPDATE lanes SET ready_at = greatest(ready_at - $1::bigint, $2::bigint) WHERE ready_at > $2'
    await session.run(lanes, byMs, now)
    const entries = `UPDATE entries SET due_at = greatest(due_at - $1::bigint, $2::bigint) WHERE state = 'asking' AND due_at > $2`
    await session.run(entries, byMs, now)
  })
}

export async function shortenLeases(db: Database, until: number): Promise<void> {
  await db.run('UPDATE lanes SET lease_until = $1 WHERE lease_until > $1', until)
}

export async function hold(db: Database, org: string, lane: Lane, reason: string | undefined): Promise<void> {
  await db.run(
    `INSERT INTO lanes (org, lane, hold) VALUES ($1, $2, $3) ON CONFLICT (org, lane) DO UPDATE SET hold = excluded.hold`,
    org,
    lane,
    reason ?? null,
  )
}

export async function resume(db: Database, org: string, lane: Lane, now: number, asks = false): Promise<void> {
  await db.transaction(async (session) => {
    await lock(session, [org])
    const was = await laneRow(session, org, lane)
    if (!was) return
    const later = asks ? leftAlone(laneOf(was), now) : undefined
    const isAsked = asks && !later
    const sql = 'UPDATE lanes SET hold = NULL, trouble = NULL, failures = 0 WHERE org = $1 AND lane = $2'
    await session.run(sql, org, lane)
    if (isAsked) await makeAllDue(session, org, lane, now)
    await settleLane(session, org, lane, later?.at ?? now)
    if (isAsked) await noteAsked(session, org, lane, now)
  })
}

/** Accounts whose locks one transaction takes. */
const followMax = 200

export async function follow(db: Database, lanes: readonly Following[], now: number): Promise<void> {
  const held = lanes.flatMap(({ org, lane, is }) => (is === 'resumed' ? [] : [{ org, lane, hold: is.held }]))
  const free = lanes.filter(({ is }) => is === 'resumed')
  if (held.length > 0) await db.run(holdingMany, ...columns(held, ['org', 'lane', 'hold']))
  if (free.length === 0) return
  const kept = (await db.all(keptBack, ...columns(free, ['org', 'lane']), now)) as unknown as Following[]
  for (let at = 0; at < kept.length; at += followMax) {
    const some = kept.slice(at, at + followMax)
    await db.transaction(async (session) => {
      await lock(
        session,
        some.map(({ org }) => org),
      )
      await session.run(resumingMany, ...columns(some, ['org', 'lane']), now)
    })
  }
}

const holdingMany = `
INSERT INTO lanes (org, lane, hold)
SELECT g.org, g.lane, g.hold FROM unnest($1::text[], $2::text[], $3::text[]) AS g (org, lane, hold)
LEFT JOIN lanes l ON l.org = g.org AND l.lane = g.lane WHERE l.hold IS DISTINCT FROM g.hold ORDER BY g.org, g.lane
ON CONFLICT (org, lane) DO UPDATE SET hold = excluded.hold`

const hasSome = `CASE l.lane
  WHEN 'send' THEN EXISTS (SELECT 1 FROM entries WHERE org = l.org AND state = 'waiting')
  ELSE EXISTS (SELECT 1 FROM entries WHERE org = l.org AND state = 'asking') END`

/** Lanes that something keeps from being claimed. */
const keptBack = `
SELECT l.org, l.lane FROM unnest($1::text[], $2::text[]) AS g (org, lane)
JOIN lanes l ON l.org = g.org AND l.lane = g.lane
WHERE l.hold IS NOT NULL OR l.trouble IS NOT NULL OR l.failures > 0 OR l.ready_at > $3 OR l.ready_at IS NULL AND ${hasSome}
ORDER BY l.org, l.lane`

const resumingMany = `
UPDATE lanes l SET hold = NULL, trouble = NULL, failures = 0, ready_at = CASE l.lane
  WHEN 'send' THEN (SELECT $3::bigint FROM entries WHERE org = l.org AND state = 'waiting' LIMIT 1)
  ELSE (SELECT greatest($3, due_at) FROM entries WHERE org = l.org AND state = 'asking' ORDER BY due_at LIMIT 1) END
FROM unnest($1::text[], $2::text[]) AS g (org, lane) WHERE l.org = g.org AND l.lane = g.lane`

export async function unclaimed(db: Database, orgs: readonly string[]): Promise<string[]> {
  const sql = `SELECT DISTINCT org FROM entries WHERE state = 'unclaimed' AND org = ANY ($1)`
  return (await db.all(sql, orgs)).map(({ org }) => org as string)
}

export async function retry(db: Database, org: string, lane: Lane, now: number): Promise<Asked> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    const row = await laneRow(session, org, lane)
    const asked = askedOf(row && laneOf(row), now)
    if (asked.is !== 'asked') return asked
    await makeAllDue(session, org, lane, now)
    await session.run('UPDATE lanes SET ready_at = least(ready_at, $3) WHERE org = $1 AND lane = $2', org, lane, now)
    await noteAsked(session, org, lane, now)
    return asked
  })
}

function laneRow(session: Session, org: string, lane: Lane) {
  return session.get('SELECT * FROM lanes WHERE org = $1 AND lane = $2 FOR UPDATE', org, lane)
}

/** Questions wait for a time each; what is to be sent waits for its lane alone. */
async function makeAllDue(session: Session, org: string, lane: Lane, now: number): Promise<void> {
  if (lane === 'send') return
  const sql = `UPDATE entries SET due_at = $2 WHERE org = $1 AND state = 'asking' AND due_at > $2`
  await session.run(sql, org, now)
}

async function noteAsked(session: Session, org: string, lane: Lane, now: number): Promise<void> {
  const sql = 'UPDATE lanes SET asked = 1, asked_at = $3 WHERE org = $1 AND lane = $2 AND ready_at IS NOT NULL'
  await session.run(sql, org, lane, now)
}

export async function adopt(db: Database, org: string, now: number): Promise<number> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    const adopted = await session.all(
      `WITH adopted AS (
         UPDATE entries SET state = 'waiting', reason = NULL WHERE state = 'unclaimed' AND org = $1 RETURNING type
       ) SELECT type, count(*) AS count FROM adopted GROUP BY type`,
      org,
    )
    if (adopted.length === 0) return 0
    await makeReady(session, [{ org, lane: 'send', at: now }])
    const counts = tally()
    for (const { type, count } of adopted) {
      counts.add('', type as string, 'received', -Number(count))
      counts.add(org, type as string, 'received', Number(count))
    }
    await counts.write(session)
    return adopted.reduce((sum, { count }) => sum + Number(count), 0)
  })
}

/** Each account's places are given under its lock, so these are taken first, as far as the entries' accounts are known. */
export async function redrive(db: Database, moves: readonly Redriven[], now: number): Promise<number> {
  const ids = moves.map(({ id }) => id)
  const owners = await db.all('SELECT DISTINCT org FROM entries WHERE id = ANY ($1)', ids)
  const orgs = new Set([...owners.map(({ org }) => org as string), ...moves.flatMap(({ org }) => org ?? [])])
  return db.transaction(async (session) => {
    await lock(session, [...orgs])
    const found = await session.all(
      `SELECT id, org, type, state FROM entries
       WHERE id = ANY ($1) AND org = ANY ($2) AND state IN ('dead', 'quarantined', 'delivered') ORDER BY id FOR UPDATE`,
      ids,
      [...orgs],
    )
    const was = new Map(found.map((row) => [Number(row.id), row]))
    const counts = tally()
    const moved = moves.flatMap(({ id, org, type, mapping }) => {
      const row = was.get(id)
      if (!row || !was.delete(id)) return []
      const from = { org: row.org as string, type: row.type as string }
      const to = { id, org: org ?? from.org, type: type ?? from.type, mapping }
      if (row.state === 'delivered') counts.add(from.org, from.type, 'delivered', -1)
      counts.add(from.org, from.type, 'received', -1)
      counts.add(to.org, to.type, 'received')
      return [to]
    })
    if (moved.length === 0) return 0
    await makeReady(
      session,
      [...new Set(moved.map(({ org }) => org))].map((org) => ({ org, lane: 'send', at: now })),
    )
    await session.run(
      `WITH moved AS MATERIALIZED (
         SELECT nextval('places') AS place, m.* FROM (
           SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[])
             WITH ORDINALITY AS m (id, org, type, mapping, n) ORDER BY n
         ) m
       )
       UPDATE entries e SET state = 'waiting', place = m.place, org = m.org, type = m.type,
         mapping = coalesce(m.mapping, e.mapping), reason = NULL, settled_at = NULL, status = NULL, batch = NULL,
         tries = NULL
       FROM moved m WHERE e.id = m.id`,
      ...columns(moved, ['id', 'org', 'type', 'mapping']),
    )
    await counts.write(session)
    return moved.length
  })
}
