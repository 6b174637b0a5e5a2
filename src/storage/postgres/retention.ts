/**
 * Taking away: what has outlived its time, and what a disconnected account leaves. In steps that keep a commit short.
 * Many replicas may do so at once: one of them does it, the others find it done.
 */
import { stepKeys, type Walk, walkOf } from '../forgetting.ts'
import type { Limits, State } from '../ports.ts'
import { tally } from './counts.ts'
import type { Database, Row, Session } from './database.ts'
import { lock, tryLock } from './locks.ts'

/** Entries taken away in one transaction. */
const stepMax = 2_000
const taken = 'id, org, type, state'

export async function expire(db: Database, limits: Limits): Promise<number> {
  return db.transaction(async (session) => {
    if (!(await tryLock(session, 'maintenance'))) return 0
    await forget(session, walkOf(db), limits)
    const old = (condition: string, before: number, kept: readonly string[] = []) =>
      session.all(
        `DELETE FROM entries WHERE id IN (
           SELECT id FROM entries WHERE ${condition} < $1 AND coalesce(reason, '') <> ALL ($3)
           LIMIT $2 FOR UPDATE SKIP LOCKED
         ) RETURNING ${taken}`,
        before,
        stepMax,
        kept,
      )
    const rows = [
      ...(await old(`state = 'unclaimed' AND received_at`, limits.unclaimedBefore)),
      ...(await unclaimedBeyond(session, limits.unclaimedBytesMax)),
      ...(await old(`state = 'delivered' AND settled_at`, limits.deliveredBefore)),
      ...(await old(`state IN ('dead', 'quarantined') AND received_at`, limits.failedBefore, limits.kept)),
    ]
    await finish(session, rows)
    await ageMoments(session, limits)
    return rows.length
  })
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

/** One step; 0 when nothing of the account is left. */
export async function erase(db: Database, org: string): Promise<number> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    await endLeases(session, org)
    await session.run('UPDATE lanes SET ready_at = NULL WHERE org = $1', org)
    await session.run('DELETE FROM conversations WHERE org = $1', org)
    const rows = await session.all(
      `DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE org = $1 LIMIT $2) RETURNING ${taken}`,
      org,
      stepMax,
    )
    return finish(session, rows)
  })
}

export async function take(db: Database, org: string, ids: readonly number[]): Promise<number> {
  return db.transaction(async (session) => {
    await lock(session, [org])
    await endLeases(session, org)
    const sql = `DELETE FROM entries WHERE org = $1 AND id = ANY ($2) RETURNING ${taken}`
    return finish(session, await session.all(sql, org, ids))
  })
}

async function endLeases(session: Session, org: string): Promise<void> {
  await session.run('UPDATE lanes SET token = token + 1, lease_until = NULL WHERE org = $1', org)
}

/** Minutes become hours, hours go: a chart of a week needs no minutes. */
async function ageMoments(session: Session, { minutesBefore, hoursBefore }: Limits): Promise<void> {
  await session.run(
    `WITH old AS (
       DELETE FROM moments WHERE (at < $1 AND at % 3600000 <> 0) OR at < $2 RETURNING org, at, type, outcome, reason, count
     )
     INSERT INTO moments (org, at, type, outcome, reason, count)
       SELECT org, at - at % 3600000 AS hour, type, outcome, reason, sum(count) FROM old WHERE at >= $2
       GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
     ON CONFLICT (org, at, type, outcome, reason) DO UPDATE SET count = moments.count + excluded.count`,
    minutesBefore,
    hoursBefore,
  )
}

/** The oldest of them, until the rest keeps within its bytes. */
function unclaimedBeyond(session: Session, bytesMax: number): Promise<Row[]> {
  return session.all(
    `DELETE FROM entries WHERE id IN (
       SELECT id FROM (
         SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS newer FROM entries WHERE state = 'unclaimed'
       ) e WHERE newer > $1 ORDER BY id LIMIT $2
     ) RETURNING ${taken}`,
    bytesMax,
    stepMax,
  )
}

/** The bodies go with the entries, and what is gone is counted. */
async function finish(session: Session, rows: readonly Row[]): Promise<number> {
  if (rows.length === 0) return 0
  const counts = tally()
  for (const { org, type, state } of rows) {
    const outcome = outcomeOf(state as State)
    if (outcome) counts.add(state === 'unclaimed' ? '' : (org as string), type as string, outcome)
  }
  await session.run(
    'DELETE FROM bodies WHERE id = ANY ($1)',
    rows.map(({ id }) => id),
  )
  await counts.write(session)
  return rows.length
}

/** What an entry counts as once its row is gone; delivered ones are counted when they are delivered. */
function outcomeOf(state: State): 'expired' | 'dead' | undefined {
  if (state === 'delivered') return undefined
  return state === 'dead' ? 'dead' : 'expired'
}
