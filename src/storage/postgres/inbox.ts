/** The inbox in PostgreSQL, but for appending, claiming and settling: what may be claimed. */
import { leftAlone } from '../../lib/backoff.ts'
import type { Asked, Following, Lane, Redriven } from '../ports.ts'
import { laneOf } from '../rows.ts'
import { askedOf } from '../waits.ts'
import { columns, tally } from './counts.ts'
import type { Database, Session } from './database.ts'
import { makeReady, settleLane } from './lanes.ts'
import { lock } from './locks.ts'

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
