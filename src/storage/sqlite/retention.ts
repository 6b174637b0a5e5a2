/** Taking away: what has outlived its time, and what a disconnected account leaves. In steps that keep a commit short. */
import type { Limits, State } from '../ports.ts'
import { tally } from './counts.ts'
import type { Database, Row } from './database.ts'

/** Entries taken away in one transaction: about 50 ms, in which webhooks wait for their answer. */
const stepMax = 2_000

export function expire(db: Database, limits: Limits): number {
  db.run(
    'DELETE FROM identities WHERE identity IN (SELECT identity FROM identities WHERE until <= ? LIMIT ?)',
    limits.now,
    stepMax,
  )
  const select = 'SELECT id, org, type, state FROM entries WHERE'
  return (
    remove(
      db,
      db.all(`${select} state = 'unclaimed' AND received_at < ? ORDER BY id LIMIT ?`, limits.unclaimedBefore, stepMax),
    ) +
    remove(db, unclaimedBeyond(db, limits.unclaimedBytesMax)) +
    remove(db, db.all(`${select} state = 'delivered' AND settled_at < ? LIMIT ?`, limits.deliveredBefore, stepMax)) +
    remove(
      db,
      db.all(`${select} state IN ('dead', 'quarantined') AND received_at < ? LIMIT ?`, limits.failedBefore, stepMax),
    )
  )
}

/** One step; 0 when nothing of the account is left. */
export function erase(db: Database, org: string): number {
  db.run('UPDATE lanes SET token = token + 1, lease_until = NULL, ready_at = NULL WHERE org = ?', org)
  db.run('DELETE FROM conversations WHERE org = ?', org)
  return remove(db, db.all('SELECT id, org, type, state FROM entries WHERE org = ? LIMIT ?', org, stepMax))
}

function unclaimedBeyond(db: Database, bytesMax: number): Row[] {
  const sum = db.get(`SELECT coalesce(sum(bytes), 0) AS bytes FROM entries WHERE state = 'unclaimed'`)
  let excess = Number(sum?.bytes) - bytesMax
  const oldest: Row[] = []
  if (excess <= 0) return oldest
  for (const row of db.iterate(
    `SELECT id, org, type, state, bytes FROM entries WHERE state = 'unclaimed' ORDER BY id`,
  )) {
    oldest.push(row)
    excess -= Number(row.bytes)
    if (excess <= 0 || oldest.length === stepMax) break
  }
  return oldest
}

function remove(db: Database, rows: Row[]): number {
  const counts = tally()
  for (const { id, org, type, state } of rows) {
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
