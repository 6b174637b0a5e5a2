/**
 * Taking away: what has outlived its time, and what a disconnected account leaves. In steps that keep a commit short.
 * Many replicas may do so at once: one of them does it, the others find it done.
 */
import { stepKeys, type Walk, walkOf } from '../forgetting.ts'
import { perBody } from '../place.ts'

import type { Expired, Limits, Marked } from '../ports/inbox.ts'
import { tally } from './counts.ts'
import { type Database, prepared, type Session } from './database.ts'
import { destinationsOf, inQueue } from './functions/by-id.ts'
import { endLeases } from './lanes.ts'
import { lock, tryLock } from './locks.ts'

/** Entries taken away in one transaction. */
const stepMax = 2_000
/** Entries looked at in one step, of which most may not be final. */
const looksMax = 10_000

const removing = prepared('SELECT remove_2($1) AS removed')

async function remove(session: Session, ids: readonly unknown[]): Promise<number> {
  if (ids.length === 0) return 0
  return Number((await session.get(removing, ids))!.removed)
}

export async function expire(db: Database, limits: Limits): Promise<Expired> {
  return db.transaction(async (session) => {
    if (!(await tryLock(session, 'maintenance'))) return { removed: 0, goesOn: false }
    await forget(session, walkOf(db), limits)
    const notInstalled = await session.all(
      `SELECT id FROM (
         SELECT x.id, x.received_at, sum(e.bytes) OVER (ORDER BY x.id DESC) AS newer
         FROM exceptions x JOIN entries e ON e.id = x.id WHERE x.state = 'unclaimed'
       ) u WHERE received_at < $1 OR newer > $2 ORDER BY id LIMIT $3`,
      limits.notInstalledBefore,
      limits.notInstalledBytesMax,
      stepMax,
    )
    const finished = await finishedIn(session, db, limits)
    const ids = [...notInstalled, ...finished.rows].map(({ id }) => id)
    // Nothing is added to these entries, and what a person sends again meanwhile is not final any more.
    const removed = (await remove(session, await stillFinal(session, ids))) + (await failed(session, limits))
    await ageTimeBuckets(session, limits)
    return { removed, goesOn: removed > 0 || !finished.isThrough }
  })
}

/** A step of a walk over the entries in the order of their ids, which ends where they are too young and then begins again. */
async function finishedIn(session: Session, db: Database, { deliveredBefore }: Limits) {
  const walk = walkOf(db)
  const rows = await session.all(
    'SELECT id, received_at, settled_at FROM entries WHERE id > $1 ORDER BY id LIMIT $2',
    walk.entry,
    looksMax,
  )
  const young = rows.findIndex(({ received_at }) => Number(received_at) >= deliveredBefore)
  const old = young < 0 ? rows : rows.slice(0, young)
  const found = old.filter(({ settled_at }) => settled_at !== null && Number(settled_at) < deliveredBefore)
  const step = found.slice(0, stepMax)
  const isThrough = found.length <= stepMax && (young >= 0 || rows.length < looksMax)
  walk.entry = isThrough ? 0 : Number((found.length > stepMax ? step : old).at(-1)!.id)
  return { rows: step, isThrough }
}

/** Those of which nothing waits or is excepted, but for accounts that are not installed; their rows are locked. */
async function stillFinal(session: Session, ids: readonly unknown[]): Promise<unknown[]> {
  const rows = await session.all(
    `SELECT e.id FROM entries e WHERE e.id = ANY ($1)
       AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.id = e.id AND x.state <> 'unclaimed' OFFSET 0)
       AND NOT EXISTS (SELECT 1 FROM ${destinationsOf('e.org')} d ${inQueue('e.org', 'd.number', 'e.id')} OFFSET 0)
       ORDER BY e.id FOR UPDATE OF e SKIP LOCKED`,
    ids,
  )
  return rows.map(({ id }) => id)
}

/** What has been dead or quarantined at a destination for long is deleted there; the entry goes when that was all of it. */
async function failed(session: Session, limits: Limits): Promise<number> {
  const gone = await session.all(
    `WITH x AS (
       DELETE FROM exceptions WHERE (id, destination) IN (
         SELECT id, destination FROM exceptions
         WHERE state IN ('dead', 'quarantined') AND received_at < $1 AND coalesce(reason, '') <> ALL ($2)
         LIMIT $3 FOR UPDATE SKIP LOCKED
       ) RETURNING id, destination, state
     ) SELECT x.id, x.destination, x.state, e.org, e.type FROM x JOIN entries e ON e.id = x.id`,
    limits.failedBefore,
    limits.kept,
    stepMax,
  )
  const counts = tally()
  for (const { org, destination, type, state } of gone) {
    const outcome = state === 'dead' ? 'dead' : 'expired'
    counts.add({ org: org as string, destination: Number(destination), type: type as string, outcome })
  }
  const ids = gone.map(({ id }) => id)
  await remove(session, await stillFinal(session, ids))
  await counts.write(session)
  return gone.length
}

/** One step of the walk over the identities; one that a webhook has in hand stays until the next time. */
async function forget(session: Session, walk: Walk, limits: Limits): Promise<void> {
  const from = walk.from(limits)
  const beyond = 'SELECT identity FROM identities WHERE identity > $1 ORDER BY identity LIMIT 1 OFFSET $2'
  const last = (await session.get(beyond, from, stepKeys - 1))?.identity as Uint8Array | undefined
  await session.run(
    `DELETE FROM identities WHERE identity IN (
       SELECT identity FROM identities
       WHERE identity > $1 AND ($2::bytea IS NULL OR identity <= $2) AND until <= $3 FOR UPDATE SKIP LOCKED
     )`,
    from,
    last ?? null,
    limits.now,
  )
  walk.reached(last)
}

/** One step; 0 when nothing of the account is left, or it is connected. */
export async function erase(db: Database, org: string): Promise<number> {
  return db.transaction(async (session) => {
    const install = await session.get('SELECT state FROM installs WHERE org = $1 FOR UPDATE', org)
    if (install && install.state !== 'disconnected') return 0
    await lock(session, [org])
    await endLeases(session, org)
    await session.run('UPDATE lanes SET ready_at = NULL WHERE org = $1', org)
    await session.run('DELETE FROM conversations WHERE org = $1', org)
    const rows = await session.all('SELECT id FROM entries WHERE org = $1 LIMIT $2', org, stepMax)
    const removed = await remove(
      session,
      rows.map(({ id }) => id),
    )
    if (removed === 0) {
      await session.run('DELETE FROM attempts WHERE org = $1', org)
      await session.run('DELETE FROM bodies WHERE org = $1', org)
      await session.run('DELETE FROM occurrences WHERE org = $1', org)
    }
    return removed
  })
}

export async function take(db: Database, org: string, ids: readonly number[]): Promise<number> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    await endLeases(session, org)
    const rows = await session.all('SELECT id FROM entries WHERE org = $1 AND id = ANY ($2)', org, ids)
    return remove(
      session,
      rows.map(({ id }) => id),
    )
  })
}

/** Minutes become hours, hours go: a chart of a week needs no minutes. */
async function ageTimeBuckets(session: Session, { minutesBefore, hoursBefore }: Limits): Promise<void> {
  const columns = 'org, at, destination, type, outcome, reason, count'
  await session.run(
    `WITH old AS (
       DELETE FROM time_buckets WHERE (at < $1 AND at % 3600000 <> 0) OR at < $2 RETURNING ${columns}
     )
     INSERT INTO time_buckets (${columns})
       SELECT org, at - at % 3600000 AS hour, destination, type, outcome, reason, sum(count) FROM old WHERE at >= $2
       GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
     ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = time_buckets.count + excluded.count`,
    minutesBefore,
    hoursBefore,
  )
}

export async function marked(db: Database, limit: number, org?: string): Promise<Marked[]> {
  const rows = await db.all(
    `SELECT b.id, b.org, b.version, b.sealed,
       ARRAY(SELECT (e.id - b.id)::integer FROM entries e WHERE e.id >= b.id AND e.id < b.id + ${perBody} ORDER BY 1) AS positions
     FROM bodies b WHERE b.trim > 0 AND ($1::text IS NULL OR b.org = $1) LIMIT $2`,
    org ?? null,
    limit,
  )
  return rows.map(({ id, version, ...row }) => ({ ...row, id: Number(id), version: Number(version) }) as Marked)
}

/** The entries' rows are locked: one that is being taken away is either there, or has been marked by then. */
export async function rewrite(
  db: Database,
  { id, version, positions }: Pick<Marked, 'id' | 'version' | 'positions'>,
  sealed: Uint8Array,
): Promise<boolean> {
  return db.transaction(async (session) => {
    const body = await session.get('SELECT version FROM bodies WHERE id = $1 FOR UPDATE', id)
    if (Number(body?.version) !== version) return false
    const rows = await session.all('SELECT id FROM entries WHERE id >= $1 AND id < $2 ORDER BY id', id, id + perBody)
    const sameTexts = rows.map((row) => Number(row.id) - id).join() === positions.join()
    const sql = 'UPDATE bodies SET sealed = $2, version = version + 1, trim = $3 WHERE id = $1'
    await session.run(sql, id, sealed, sameTexts ? 0 : 1)
    return sameTexts
  })
}

/** What is left in it are entries without a text: they are quarantined wherever they are not final. */
export async function drop(
  db: Database,
  { id, version }: Pick<Marked, 'id' | 'version'>,
  { reason, now }: { reason: string; now: number },
): Promise<boolean> {
  return db.transaction(async (session) => {
    const owner = await session.get('SELECT org FROM bodies WHERE id = $1 AND version = $2', id, version)
    if (!owner) return false
    await lock(session, [owner.org as string])
    const sql = `UPDATE bodies SET sealed = '', version = version + 1, trim = 0 WHERE id = $1 AND version = $2`
    if ((await session.run(sql, id, version)) === 0) return false
    const rows = await session.all(
      `WITH e AS (
         SELECT id, org, type, received_at FROM entries WHERE id >= $1 AND id < $2
       ), q AS (
         DELETE FROM queue WHERE ctid = ANY (ARRAY(
           SELECT q.ctid FROM e CROSS JOIN LATERAL ${destinationsOf('e.org')} d ${inQueue('e.org', 'd.number', 'e.id')}
         )) RETURNING id, destination
       ), x AS (
         SELECT x.id, x.destination FROM exceptions x JOIN e USING (id) WHERE x.state = 'asking'
         UNION SELECT id, destination FROM q
       )
       INSERT INTO exceptions (id, destination, org, state, reason, received_at)
       SELECT e.id, x.destination, e.org, 'quarantined', $3, e.received_at FROM x JOIN e USING (id)
       ON CONFLICT (id, destination) DO UPDATE SET state = 'quarantined', reason = excluded.reason, due_at = NULL,
         failures = 0, place = NULL
       RETURNING id, destination, org`,
      id,
      id + perBody,
      reason,
    )
    const counts = tally()
    for (const row of rows) {
      const { type } = (await session.get('SELECT type FROM entries WHERE id = $1', row.id))! as { type: string }
      const [org, destination] = [row.org as string, Number(row.destination)]
      counts.note({ org, destination, type, outcome: 'failed' }, now)
    }
    await counts.write(session)
    return true
  })
}
