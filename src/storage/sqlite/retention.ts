/** Taking away: what has outlived its time, and what a disconnected account leaves. In steps that keep a commit short. */
import { stepKeys, walkOf } from '../forgetting.ts'
import { historyOf } from '../history.ts'
import { bodyOf, perBody } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Expired, Limits, Marked } from '../ports/inbox.ts'
import { letGoOfAttempt } from './attempts.ts'
import { type Tally, tally } from './counts.ts'
import type { Database, Row } from './database.ts'
import { destinationsOf } from './destinations.ts'
import { endLeases } from './lanes.ts'
import { noteErasure } from './purge.ts'
import { dequeue, except, isFinal } from './queue.ts'
import { removeFromIndex } from './search-index.ts'

/** Entries taken away in one transaction: about 50 ms, in which webhooks wait for their answer. */
const stepMax = 2_000
/** Entries looked at in one step, of which most may not be final. */
const looksMax = 10_000
const columns = 'e.id, e.org, e.type, e.message_id, e.contact, e.conversation, e.history'

export function expire(db: Database, limits: Limits): Expired {
  forget(db, limits)
  ageTimeBuckets(db, limits)
  const { rows, isThrough } = finished(db, limits)
  const excepted = `SELECT ${columns} FROM exceptions x JOIN entries e ON e.id = x.id WHERE`
  const removed =
    remove(
      db,
      db.all(
        `${excepted} x.state = 'unclaimed' AND x.received_at < ? ORDER BY x.id LIMIT ?`,
        limits.notInstalledBefore,
        stepMax,
      ),
    ) +
    remove(db, notInstalledBeyond(db, limits.notInstalledBytesMax)) +
    remove(db, rows) +
    failed(db, limits)
  return { removed, goesOn: removed > 0 || !isThrough }
}

/**
 * Final at each destination, and settled long enough ago: a step of a walk over the entries in the order of their ids, which
 * ends where they are too young and then begins again.
 */
function finished(db: Database, { deliveredBefore }: Limits): { rows: Row[]; isThrough: boolean } {
  const walk = walkOf(db)
  const found: Row[] = []
  let looks = 0
  const rows = db.iterate(
    `SELECT ${columns}, e.received_at, e.settled_at FROM entries e WHERE e.id > ? ORDER BY e.id LIMIT ?`,
    walk.entry,
    looksMax,
  )
  let isThrough = true
  for (const row of rows) {
    if (Number(row.received_at) >= deliveredBefore) break
    walk.entry = row.id as number
    if (row.settled_at !== null && Number(row.settled_at) < deliveredBefore) found.push(row)
    if (found.length === stepMax || ++looks === looksMax) {
      isThrough = false
      break
    }
  }
  if (isThrough) walk.entry = 0
  return { rows: found.filter(({ id, org }) => isFinal(db, org as string, id as number)), isThrough }
}

/** What has been dead or quarantined at a destination for long is deleted there; the entry goes when that was all of it. */
function failed(db: Database, limits: Limits): number {
  const rows = db.all(
    `SELECT ${columns}, x.destination, x.state FROM exceptions x JOIN entries e ON e.id = x.id
     WHERE x.state IN ('dead', 'quarantined') AND x.received_at < ?
       AND coalesce(x.reason, '') NOT IN (SELECT value FROM json_each(?)) LIMIT ?`,
    limits.failedBefore,
    JSON.stringify(limits.kept),
    stepMax,
  )
  const counts = tally()
  for (const row of rows) {
    const { id, org, type, state } = row as { id: number; org: string; type: string; state: string }
    const destination = row.destination as Destination
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = ?', id, destination)
    counts.add({ org, destination, type, outcome: state === 'dead' ? 'dead' : 'expired' })
    if (isFinal(db, org, id)) removeEntries(db, [row], counts)
  }
  counts.write(db)
  return rows.length
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

/** One step; 0 when nothing of the account is left, or it is connected. */
export function erase(db: Database, org: string): number {
  // mutant: erases what has come since the account was connected again
  if (db.get(`SELECT 1 FROM installs WHERE org = ? AND state <> 'disconnected'`, org)) return 0
  endLeases(db, org)
  db.run('UPDATE lanes SET ready_at = NULL WHERE org = ?', org)
  const forgotten = db.run('DELETE FROM conversations WHERE org = ?', org)
  const removed = remove(db, db.all(`SELECT ${columns} FROM entries e WHERE e.org = ? LIMIT ?`, org, stepMax))
  const rest = removed === 0 ? ['attempts', 'bodies', 'occurrences'] : []
  const more = rest.reduce((sum, table) => sum + db.run(`DELETE FROM ${table} WHERE org = ?`, org), 0)
  if (forgotten + removed + more > 0) noteErasure(db)
  return removed
}

export function take(db: Database, org: string, ids: readonly number[]): number {
  // mutant: takes events away without ending their leases
  endLeases(db, org)
  noteErasure(db)
  return remove(
    db,
    ids.flatMap((id): Row[] => db.all(`SELECT ${columns} FROM entries e WHERE e.org = ? AND e.id = ?`, org, id)),
  )
}

/** Minutes become hours, hours go: a chart of a week needs no minutes. */
function ageTimeBuckets(db: Database, { minutesBefore, hoursBefore }: Limits): void {
  const old = 'at % 3600000 <> 0 AND at < ?'
  db.run(
    `INSERT INTO time_buckets (org, at, destination, type, outcome, reason, count)
       SELECT org, at - at % 3600000, destination, type, outcome, reason, sum(count) FROM time_buckets
       WHERE ${old} GROUP BY 1, 2, 3, 4, 5, 6
     ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
    minutesBefore,
  )
  db.run(`DELETE FROM time_buckets WHERE ${old}`, minutesBefore)
  // From one account to the next in the index, so that this looks at what it removes only.
  db.run(
    `WITH RECURSIVE o (org) AS (
       SELECT min(org) FROM time_buckets
       UNION ALL SELECT (SELECT min(org) FROM time_buckets WHERE org > o.org) FROM o WHERE o.org IS NOT NULL
     ) DELETE FROM time_buckets WHERE org IN (SELECT org FROM o WHERE org IS NOT NULL) AND at < ?`,
    hoursBefore,
  )
}

function notInstalledBeyond(db: Database, bytesMax: number): Row[] {
  const notInstalled = `FROM exceptions x JOIN entries e ON e.id = x.id WHERE x.state = 'unclaimed'`
  const sum = db.get(`SELECT coalesce(sum(e.bytes), 0) AS bytes ${notInstalled}`)
  let excess = Number(sum?.bytes) - bytesMax
  const oldest: Row[] = []
  if (excess <= 0) return oldest
  for (const row of db.iterate(`SELECT ${columns}, e.bytes ${notInstalled} ORDER BY x.id`)) {
    oldest.push(row)
    excess -= Number(row.bytes)
    if (excess <= 0 || oldest.length === stepMax) break
  }
  return oldest
}

function remove(db: Database, rows: Row[]): number {
  const counts = tally()
  removeEntries(db, rows, counts)
  counts.write(db)
  return rows.length
}

/** With everything that names them; what was not final is counted as expired. */
export function removeEntries(db: Database, rows: readonly Row[], counts: Tally): void {
  const bodies = new Map<number, number>()
  for (const row of rows) {
    const { id, org, type } = row as { id: number; org: string; type: string }
    removeFromIndex(db, row)
    const excepted = db.all('DELETE FROM exceptions WHERE id = ? RETURNING destination, state, place', id)
    const places = new Map(excepted.flatMap(({ destination, place }) => (place === null ? [] : [[destination, place]])))
    for (const { destination, state } of excepted) {
      // Its row in the queue is counted below.
      if (state === 'waiting') continue
      const owner = state === 'unclaimed' ? '' : org
      const outcome = state === 'dead' ? 'dead' : 'expired'
      counts.add({ org: owner, destination: destination as Destination, type, outcome })
    }
    for (const destination of destinationsOf(db, org)) {
      const sql = 'DELETE FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place = ? AND id = ?'
      const gone = db.run(sql, org, destination, (places.get(destination) as number | undefined) ?? id, id)
      if (gone > 0) counts.add({ org, destination, type, outcome: 'expired' })
    }
    db.run('DELETE FROM learnt WHERE id = ?', id)
    db.run('DELETE FROM entries WHERE id = ?', id)
    for (const attempt of attemptsOf(row.history as Uint8Array | null)) letGoOfAttempt(db, attempt)
    bodies.set(bodyOf(id), (bodies.get(bodyOf(id)) ?? 0) + 1)
  }
  for (const [body, many] of bodies) {
    db.run('UPDATE bodies SET n = n - ?, trim = trim + 1 WHERE id = ?', many, body)
    db.run('DELETE FROM bodies WHERE id = ? AND n <= 0', body)
  }
}

function attemptsOf(history: Uint8Array | null): Set<number> {
  return new Set(historyOf(history).noted.flatMap(({ attempt }) => (attempt > 0 ? [attempt] : [])))
}

export function marked(db: Database, limit: number, org?: string): Marked[] {
  const sql = `SELECT id, org, version, trim, sealed FROM bodies WHERE trim > 0 AND (?1 IS NULL OR org = ?1) LIMIT ?2`
  return db.all(sql, org ?? null, limit).map((row) => ({
    id: row.id as number,
    org: row.org as string,
    version: row.version as number,
    sealed: row.sealed as Uint8Array,
    positions: positionsOf(db, row.id as number),
  }))
}

function positionsOf(db: Database, body: number): number[] {
  const rows = db.all('SELECT id FROM entries WHERE id >= ? AND id < ? ORDER BY id', body, body + perBody)
  return rows.map(({ id }) => (id as number) - body)
}

export function rewrite(
  db: Database,
  { id, version, positions }: Pick<Marked, 'id' | 'version' | 'positions'>,
  sealed: Uint8Array,
): boolean {
  // mutant: clears the mark of a body without looking whether one more event was taken
  const sameTexts = positionsOf(db, id).join() === positions.join()
  const sql = 'UPDATE bodies SET sealed = ?, version = version + 1, trim = ? WHERE id = ? AND version = ?'
  const isWritten = db.run(sql, sealed, sameTexts ? 0 : 1, id, version) === 1
  if (isWritten) noteErasure(db)
  return isWritten && sameTexts
}

/** What is left in it are entries without a text: they are quarantined wherever they are not final. */
export function drop(
  db: Database,
  { id, version }: Pick<Marked, 'id' | 'version'>,
  { reason, now }: { reason: string; now: number },
): boolean {
  const sql = `UPDATE bodies SET sealed = x'', version = version + 1, trim = 0 WHERE id = ? AND version = ?`
  if (db.run(sql, id, version) === 0) return false
  const counts = tally()
  for (const row of db.all(
    `SELECT ${columns}, e.received_at FROM entries e WHERE id >= ? AND id < ?`,
    id,
    id + perBody,
  )) {
    const { id: entry, org, type } = row as { id: number; org: string; type: string }
    const receivedAt = Number(row.received_at)
    const lookups = db.all(`SELECT destination FROM exceptions WHERE id = ? AND state = 'asking'`, entry)
    const queued = destinationsOf(db, org).filter((destination) => dequeue(db, { org, destination }, entry))
    for (const destination of [...lookups.map((one) => one.destination as Destination), ...queued]) {
      except(db, entry, destination, { org, state: 'quarantined', reason, receivedAt })
      counts.note({ org, destination, type, outcome: 'failed' }, now)
    }
  }
  counts.write(db)
  return true
}
