/** Entries that wait again in PostgreSQL: of an account that is installed now, and those that a person sends again. */
import { historyBytesMax, noteOf } from '../history.ts'
import { jobs } from '../jobs.ts'
import { bodyOf, perBody } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Redriven } from '../ports/inbox.ts'
import type { JobHeld, JobStep } from '../ports/jobs.ts'
import { countGiven, countResent, exceptedOf, goesTo, hasClaimed, isFailed, type Resendable } from '../redriving.ts'
import { withMoved } from '../rows.ts'
import { shorten } from './attempts.ts'
import { columns, type Tally, tally } from './counts.ts'
import { type Database, prepared, type Row, type Session } from './database.ts'
import { destinations, meantFor } from './destinations.ts'
import { makeReady } from './lanes.ts'
import { lock } from './locks.ts'
import { carriedOut } from './statements.ts'

export async function waitingForInstall(db: Database, orgs: readonly string[]): Promise<string[]> {
  const sql = `SELECT DISTINCT org FROM exceptions WHERE state = 'unclaimed' AND org = ANY ($1)`
  return (await db.all(sql, orgs)).map(({ org }) => org as string)
}

export async function claimOnInstall(db: Database, org: string, now: number): Promise<number> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    const found = await session.all(
      `DELETE FROM exceptions x USING entries e WHERE x.org = $1 AND x.state = 'unclaimed' AND e.id = x.id
       RETURNING x.id, x.once, e.type`,
      org,
    )
    if (found.length === 0) return 0
    await session.all(ensuring, [org])
    const all = await destinations(session, org)
    const free = await freeOf(session, org, found, all)
    const known = found.filter(({ id }) => !free.has(Number(id))).map(({ id }) => id)
    const ids = [...free.keys()]
    await session.run('UPDATE bodies SET org = $1 WHERE id = ANY ($2)', org, ids.map(bodyOf))
    // When a destination was added does not matter: the entries join the account now.
    const queued = ids.flatMap((id) => free.get(id)!.map((destination) => ({ id, destination })))
    await session.run(
      `INSERT INTO queue (org, destination, lane, place, id)
       SELECT $1, d, 0, id, id FROM unnest($2::bigint[], $3::integer[]) q (id, d)`,
      org,
      ...columns(queued, ['id', 'destination']),
    )
    await makeReady(
      session,
      all.map((destination) => ({ org, destination, lane: 'send', at: now })),
    )
    const counts = tally()
    for (const { id, type } of found as { id: unknown; type: string }[]) {
      const given = free.get(Number(id))
      counts.add({ org: '', type, outcome: 'received' }, -1)
      counts.add({ org, type, outcome: given ? 'received' : 'duplicate' })
      if (given) counts.add({ org, type, outcome: 'taken' })
      for (const destination of given ?? []) counts.add({ org, destination, type, outcome: 'taken' })
    }
    if (known.length > 0) await session.get('SELECT remove_2($1)', known)
    await counts.write(session)
    return free.size
  })
}

/** Destinations that have had none with the natural key of each of these entries, by its id; from now on they have. */
async function freeOf(
  session: Session,
  org: string,
  entries: readonly Row[],
  destinations: readonly Destination[],
): Promise<Map<number, readonly Destination[]>> {
  const free = new Map<number, readonly Destination[]>()
  for (const { id, once } of entries) {
    const claimed = once
      ? await session.all(
          `INSERT INTO occurrences (org, key, destination) SELECT $1, $2, d FROM unnest($3::integer[]) d ORDER BY d
           ON CONFLICT DO NOTHING RETURNING destination`,
          org,
          once,
          destinations,
        )
      : undefined
    const given = claimed?.map(({ destination }) => Number(destination)) ?? destinations
    if (given.length > 0) free.set(Number(id), given)
  }
  return free
}

const ensuring = prepared('SELECT ensure_destination_1($1)')

export async function redrive(db: Database, moves: readonly Redriven[], now: number, who: string): Promise<number> {
  return (await moveAll(db, moves, { now, who })).moved
}

export function redriveStep(db: Database, moves: readonly Redriven[], now: number, step: JobStep) {
  return moveAll(db, moves, { now, who: step.lease.job.who, step })
}

interface Resending {
  session: Session
  now: number
  counts: Tally
  /** That they were sent again, for each account: the row's id, and entries that name it. */
  resent: Map<string, { id: number; remain: number }>
}

/** Under the locks of the accounts that the entries are of, and of those that they are given to. */
async function moveAll(
  db: Database,
  moves: readonly Redriven[],
  { now, who, step }: { now: number; who: string; step?: JobStep },
): Promise<{ moved: number; job: JobHeld }> {
  const ids = moves.map(({ id }) => id)
  const owners = await db.all('SELECT DISTINCT org FROM entries WHERE id = ANY ($1)', ids)
  const orgs = [...new Set([...owners.map(({ org }) => org as string), ...moves.flatMap(({ org }) => org ?? [])])]
  return db.transaction(async (session) => {
    await lock(session, orgs)
    // The job's row is locked from here on.
    if (step && (await carriedOut(session, jobs.renew(step.lease, step.until))) === 'lost')
      return { moved: 0, job: 'lost' }
    const resending: Resending = { session, now, counts: tally(), resent: new Map() }
    let moved = 0
    for (const move of moves) if (await sendAgain(resending, orgs, move)) moved++
    await session.run(
      `INSERT INTO attempts (id, org, destination, at, ms, status, many, tries, remain, who)
       SELECT id, org, 0, $4, 0, 0, remain, 0, remain, $5 FROM unnest($1::bigint[], $2::text[], $3::integer[]) r (id, org, remain)`,
      ...columns(
        [...resending.resent].map(([org, row]) => ({ org, ...row })),
        ['id', 'org', 'remain'],
      ),
      now,
      who,
    )
    const progress = step && { ...step, counts: withMoved(step.counts, moved) }
    const job = progress ? await carriedOut(session, jobs.advance(progress.lease, progress, progress.until)) : 'held'
    await resending.counts.write(session)
    return { moved, job }
  })
}

async function sendAgain(resending: Resending, orgs: readonly string[], move: Redriven): Promise<boolean> {
  const { session, counts } = resending
  const { id } = move
  const columns = 'id, org, type, message_id, received_at, mapping, contact, conversation, history, resent, settled_at'
  const row = await session.get(`SELECT ${columns} FROM entries WHERE id = $1 AND org = ANY ($2)`, id, orgs)
  if (!row) return false
  const entry = row as unknown as Resendable
  const excepted = exceptedOf(await session.all('SELECT destination, state FROM exceptions WHERE id = $1', id))
  if (excepted.has(0)) return isFailed(excepted.get(0)) && giveOver(resending, row, move)
  const { org } = entry
  const all = await destinations(session, org)
  const queued = await session.all(
    'SELECT destination FROM queue WHERE org = $1 AND destination = ANY ($2) AND lane IN (0, 1) AND place = $3',
    org,
    all,
    id,
  )
  const open: Destination[] = []
  for (const destination of all) {
    const isQueued = queued.some((one) => Number(one.destination) === destination)
    const goes = goesTo(destination, move, entry, { excepted, isQueued })
    if (goes === 'if_new' && (await freeOf(session, org, [{ id, once: move.once }], [destination])).size === 0) continue
    if (goes !== 'stays') open.push(destination)
  }
  if (open.length === 0) return false
  const resent = countResent(counts, entry, move, { destinations: open, excepted })
  if (move.mapping !== undefined)
    await session.run('DELETE FROM learnt WHERE id = $1 AND destination = ANY ($2)', id, open)
  await session.run('DELETE FROM exceptions WHERE id = $1 AND destination = ANY ($2)', id, open)
  if (resent !== entry.resent) await session.run('UPDATE entries SET resent = $1 WHERE id = $2', resent, id)
  await again(resending, row, open)
  return true
}

/**
 * What stood before any destination goes to each of the account that it belongs to after all, or to the one that is named;
 * not where another event with its natural key has gone.
 */
async function giveOver(resending: Resending, row: Row, move: Redriven): Promise<boolean> {
  const { session, counts } = resending
  const [id, org, type] = [move.id, row.org as string, row.type as string]
  const to = move.org ?? org
  await session.all(ensuring, [to])
  const meant = (await destinations(session, to)).filter((one) => (move.destination ?? one) === one)
  const free = (await freeOf(session, to, [{ id, once: move.once }], meant)).get(id) ?? []
  const claimedByIt = to === org && hasClaimed(row) ? await meantFor(session, org, id) : []
  const given = meant.filter((one) => free.includes(one) || claimedByIt.includes(one))
  if (given.length === 0) return false
  const own = countGiven(counts, { org, type }, move, given)
  await session.run('DELETE FROM exceptions WHERE id = $1 AND destination = 0', id)
  if (own.org !== org || own.type !== type) await moveTo(session, row, own)
  if (move.mapping !== undefined) await session.run('UPDATE entries SET mapping = $1 WHERE id = $2', move.mapping, id)
  await again(resending, { ...row, org: own.org }, given)
  return true
}

/** Its account and type are others from now on, and it is found by them. */
async function moveTo(session: Session, row: Row, to: { org: string; type: string }): Promise<void> {
  const { id, org, type, contact, conversation } = row
  await session.run('UPDATE entries SET org = $1, type = $2 WHERE id = $3', to.org, to.type, id)
  const kinds = `unnest(ARRAY['type', 'contact', 'conversation'], $3::text[]) AS s (kind, value)`
  await session.run(
    `DELETE FROM search_index i USING ${kinds} WHERE i.org = $1 AND i.kind = s.kind AND i.value = s.value AND i.id = $2`,
    org,
    id,
    [type, contact, conversation],
  )
  await session.run(
    `INSERT INTO search_index (org, kind, value, id) SELECT $1, kind, value, $2 FROM ${kinds} WHERE value IS NOT NULL
     ON CONFLICT DO NOTHING`,
    to.org,
    id,
    [to.type, contact, conversation],
  )
  await session.run('UPDATE bodies SET org = $1 WHERE id = $2', to.org, bodyOf(Number(id)))
}

async function again({ session, now, resent }: Resending, entry: Row, destinations: readonly Destination[]) {
  const [id, org] = [entry.id, entry.org as string]
  const next = async () => Number((await session.get(`SELECT nextval('places') AS id`))!.id)
  const row = resent.get(org) ?? { id: await next(), remain: 0 }
  row.remain++
  resent.set(org, row)
  const notes = destinations.map((destination) => noteOf({ destination, outcome: 'resent', attempt: row.id }))
  const noted = await session.get(
    `WITH places AS MATERIALIZED (SELECT d, nextval('places') * ${perBody} AS at FROM unnest($2::integer[]) d), queued AS (
       INSERT INTO queue (org, destination, lane, place, id) SELECT $1, d, 0, at, $3::bigint FROM places
     ), excepted AS (
       INSERT INTO exceptions (id, destination, org, state, received_at, place) SELECT $3, d, $1, 'waiting', $4, at FROM places
     )
     UPDATE entries SET settled_at = NULL, history = coalesce(history, '') || $5::bytea WHERE id = $3
     RETURNING length(history) AS length`,
    org,
    destinations,
    id,
    entry.received_at,
    Buffer.concat(notes),
  )
  if (Number(noted!.length) > historyBytesMax) await shorten(session, [id])
  await makeReady(
    session,
    destinations.map((destination) => ({ org, destination, lane: 'send', at: now })),
  )
}
