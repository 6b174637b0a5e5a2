/** Taking away: what has outlived its time, and what a disconnected account leaves. In steps that keep a commit short. */
import { stepKeys, walkOf } from '../forgetting.ts'
import type { Limits, State } from '../ports.ts'
import { tally } from './counts.ts'
import type { Database, Row } from './database.ts'
import { forgetSought } from './lookup.ts'
import { noteErasure } from './purge.ts'

/** Entries taken away in one transaction: about 50 ms, in which webhooks wait for their answer. */
const stepMax = 2_000
const columns = 'id, org, type, state, message_id, contact, conversation'

export function expire(db: Database, limits: Limits): number {
  forget(db, limits)
  ageMoments(db, limits)
  const select = `SELECT ${columns} FROM entries WHERE`
  return (
    remove(
      db,
      db.all(`${select} state = 'unclaimed' AND received_at < ? ORDER BY id LIMIT ?`, limits.unclaimedBefore, stepMax),
    ) +
    remove(db, unclaimedBeyond(db, limits.unclaimedBytesMax)) +
    remove(db, db.all(`${select} state = 'delivered' AND settled_at < ? LIMIT ?`, limits.deliveredBefore, stepMax)) +
    remove(
      db,
      db.all(
        `${select} state IN ('dead', 'quarantined') AND received_at < ?
           AND coalesce(reason, '') NOT IN (SELECT value FROM json_each(?)) LIMIT ?`,
        limits.failedBefore,
        JSON.stringify(limits.kept),
        stepMax,
      ),
    )
  )
}

/** One step of the walk over the identities. */
function forget(db: Database, limits: Limits): void {
  const walk = walkOf(db)
  const from = walk.from(limits)
  const beyond = 'SELECT identity FROM identities WHERE identity > ? ORDER BY identity LIMIT 1 OFFSET ?'
  const last = db.get(beyond, from, stepKeys - 1)?.identity as Uint8Array | undefined
  const gone = 'DELETE FROM identities WHERE identity > ?1 AND (?2 IS NULL OR identity <= ?2) AND until <= ?3'
  db.run(gone, from, last ?? null, limits.now)
  walk.reached(last)
}

/** One step; 0 when nothing of the account is left. */
export function erase(db: Database, org: string): number {
  endLeases(db, org)
  db.run('UPDATE lanes SET ready_at = NULL WHERE org = ?', org)
  const forgotten = db.run('DELETE FROM conversations WHERE org = ?', org)
  const removed = remove(db, db.all(`SELECT ${columns} FROM entries WHERE org = ? LIMIT ?`, org, stepMax))
  if (forgotten + removed > 0) noteErasure(db)
  return removed
}

export function take(db: Database, org: string, ids: readonly number[]): number {
  endLeases(db, org)
  noteErasure(db)
  return remove(
    db,
    ids.flatMap((id): Row[] => db.all(`SELECT ${columns} FROM entries WHERE org = ? AND id = ?`, org, id)),
  )
}

function endLeases(db: Database, org: string): void {
  db.run('UPDATE lanes SET token = token + 1, lease_until = NULL WHERE org = ?', org)
}

/** Minutes become hours, hours go: a chart of a week needs no minutes. */
function ageMoments(db: Database, { minutesBefore, hoursBefore }: Limits): void {
  const old = 'at % 3600000 <> 0 AND at < ?'
  db.run(
    `INSERT INTO moments (org, at, type, outcome, reason, count)
       SELECT org, at - at % 3600000, type, outcome, reason, sum(count) FROM moments WHERE ${old} GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (org, at, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
    minutesBefore,
  )
  db.run(`DELETE FROM moments WHERE ${old}`, minutesBefore)
  // From one account to the next in the index, so that this looks at what it removes only.
  db.run(
    `WITH RECURSIVE o (org) AS (
       SELECT min(org) FROM moments
       UNION ALL SELECT (SELECT min(org) FROM moments WHERE org > o.org) FROM o WHERE o.org IS NOT NULL
     ) DELETE FROM moments WHERE org IN (SELECT org FROM o WHERE org IS NOT NULL) AND at < ?`,
    hoursBefore,
  )
}

function unclaimedBeyond(db: Database, bytesMax: number): Row[] {
  const sum = db.get(`SELECT coalesce(sum(bytes), 0) AS bytes FROM entries WHERE state = 'unclaimed'`)
  let excess = Number(sum?.bytes) - bytesMax
  const oldest: Row[] = []
  if (excess <= 0) return oldest
  for (const row of db.iterate(`SELECT ${columns}, bytes FROM entries WHERE state = 'unclaimed' ORDER BY id`)) {
    oldest.push(row)
    excess -= Number(row.bytes)
    if (excess <= 0 || oldest.length === stepMax) break
  }
  return oldest
}

function remove(db: Database, rows: Row[]): number {
  const counts = tally()
  for (const row of rows) {
    const { id, org, type, state } = row
    forgetSought(db, id as number, row)
    db.run('DELETE FROM entries WHERE id = ?', id as number)
    db.run('DELETE FROM bodies WHERE id = ?', id as number)
    const outcome = outcomeOf(state as State)
    if (outcome) counts.add(state === 'unclaimed' ? '' : (org as string), type as string, outcome)
  }
  counts.write(db)
  return rows.length
}

/** What an entry counts as once its row is gone; delivered ones are counted when they are delivered. */
export function outcomeOf(state: State): 'expired' | 'dead' | undefined {
  if (state === 'delivered') return undefined
  return state === 'dead' ? 'dead' : 'expired'
}
