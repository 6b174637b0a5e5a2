/** Looking at entries. What people search by stands in `search_index`, which follows the entries after they are answered. */

import { lastAt } from '../history.ts'
import { bodyOf, positionOf } from '../place.ts'
import type { Attempt, Destination, LaneKey } from '../ports/entry.ts'
import type { Cursor, LaneShown, Query, ReadEntry, Shown } from '../ports/lookup.ts'
import { isBelow, matches } from '../query.ts'
import { laneOf, shownOf } from '../rows.ts'
import { bodyAt } from './claim.ts'
import type { Database, Row } from './database.ts'

/** Entries that one call looks at: about 30 ms, in which webhooks wait for their answer. */
const looksMax = 10_000
/** Entries that one step of indexing covers: about 3 ms, in which webhooks wait for their answer. */
const stepMax = 250

/** Whose state is shown: the first destination's, where none is named (`?1`). */
const destination = 'coalesce(?1, (SELECT min(number) FROM destinations WHERE org = e.org AND removed_at IS NULL), 0)'
const columns = `e.*, b.version, ${destination} AS destination, x.destination AS excepted, x.state, x.due_at,
  coalesce(x.failures, 0) AS failures, EXISTS (
    SELECT 1 FROM queue WHERE org = e.org AND destination = ${destination} AND lane = 0 AND place = e.id
  ) AS queued,
  CASE WHEN x.state IS NULL OR x.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.trouble, x.reason) ELSE x.reason END AS why`
// An entry is an exception at all (0), or at this destination: never both.
const joined = `LEFT JOIN bodies b ON b.id = e.id - e.id % 128
  LEFT JOIN exceptions x ON x.id = e.id AND x.destination IN (0, ${destination})
  LEFT JOIN lanes l ON l.org = e.org AND l.lane = CASE x.state WHEN 'asking' THEN 'ask' ELSE 'send' END
    AND l.destination = CASE x.state WHEN 'asking' THEN 0 ELSE ${destination} END`

export function isBehind(db: Database): boolean {
  return db.get('SELECT 1 FROM entries WHERE id > (SELECT last FROM indexed) LIMIT 1') !== undefined
}

/** Indexes what has been appended since; true when there may be more. */
export function indexStep(db: Database): boolean {
  const last = Number(db.get('SELECT last FROM indexed')!.last)
  const rows = db.all(
    'SELECT id, org, type, message_id, contact, conversation FROM entries WHERE id > ? ORDER BY id LIMIT ?',
    last,
    stepMax,
  )
  if (rows.length === 0) return false
  for (const row of rows) noteSought(db, row)
  db.run('UPDATE indexed SET last = ?', rows.at(-1)!.id!)
  return rows.length === stepMax
}

export function noteSought(db: Database, row: Row): void {
  for (const [org, kind, value] of soughtOf(row)) {
    db.run('INSERT OR IGNORE INTO search_index VALUES (?, ?, ?, ?)', org, kind, value, row.id!)
  }
}

export function forgetSought(db: Database, row: Row): void {
  for (const [org, kind, value] of soughtOf(row)) {
    const sql = 'DELETE FROM search_index WHERE org = ? AND kind = ? AND value = ? AND id = ?'
    db.run(sql, org, kind, value, row.id!)
  }
}

/** A message is found without its account too. */
function soughtOf({ org, type, message_id, contact, conversation }: Row): [org: string, kind: string, value: string][] {
  const ofAccount = (kind: string, value: unknown): [string, string, string][] =>
    value === null ? [] : [[org as string, kind, value as string]]
  return [
    ['', 'message', message_id as string],
    ...ofAccount('type', type),
    ...ofAccount('contact', contact),
    ...ofAccount('conversation', conversation),
  ]
}

export function find(
  db: Database,
  query: Query,
  { before, limit }: { before?: Cursor; limit: number },
): { entries: Shown[]; next?: Cursor } {
  const entries: Shown[] = []
  let looks = 0
  for (const shown of candidates(db, query, before)) {
    if (isBelow(shown, before) && matches(shown, query)) entries.push(withAnswer(db, shown))
    if (entries.length === limit || ++looks === looksMax) return { entries: entries.map(bare), next: { id: shown.id } }
  }
  return { entries: entries.map(bare) }
}

type Found = Shown & { history?: Uint8Array }

function bare({ history: _, ...shown }: Found): Shown {
  return shown
}

function withAnswer(db: Database, shown: Found): Found {
  const last = lastAt(shown.history, shown.destination)
  const attempt = last && db.get('SELECT status, many, tries FROM attempts WHERE id = ?', last.attempt)
  return attempt ? { ...shown, answer: attempt as unknown as Pick<Attempt, 'status' | 'many' | 'tries'> } : shown
}

/** Everything that may match, what was kept last first, by the index that leaves the least to look at. */
function candidates(db: Database, query: Query, before: Cursor | undefined): Iterable<Found> {
  const below = before?.id ?? Number.MAX_SAFE_INTEGER
  const { org, states } = query
  const sought = soughtBy(query)
  if (sought) {
    const join = `JOIN search_index s ON s.id = e.id`
    const where = 's.org = ?2 AND s.kind = ?3 AND s.value = ?4 AND s.id < ?5 ORDER BY s.id DESC'
    return rows(db, query.destination, `${join} ${joined} WHERE ${where}`, ...sought, below)
  }
  if (org === undefined) return rows(db, query.destination, `${joined} WHERE e.id < ?2 ORDER BY e.id DESC`, below)
  if (states && !states.includes('delivered') && !states.includes('ignored') && isShort(db, org, states)) {
    const where = `e.id < ?3 AND e.id IN (${inHand}) ORDER BY e.id DESC`
    return rows(db, query.destination, `${joined} WHERE ${where}`, org, below, JSON.stringify(states))
  }
  return rows(db, query.destination, `${joined} WHERE e.org = ?2 AND e.id < ?3 ORDER BY e.id DESC`, org, below)
}

/** What is not final, by its own small indexes; what is delivered may be a million. */
const inHand = `SELECT id FROM exceptions WHERE org = ?2 AND state IN (SELECT value FROM json_each(?4))
  UNION ALL SELECT id FROM queue WHERE org = ?2 AND EXISTS (SELECT 1 FROM json_each(?4) WHERE value = 'waiting')`

/** Few enough to be put in order at once; of many the newest are among the newest of all. */
function isShort(db: Database, org: string, states: readonly string[]): boolean {
  const sql = `SELECT 1 FROM (${inHand}) LIMIT 1 OFFSET ?3`
  return db.get(sql, null, org, looksMax, JSON.stringify(states)) === undefined
}

function soughtBy(query: Query): [org: string, kind: string, value: string] | undefined {
  const { org, message, contact, conversation, type } = query
  if (message !== undefined) return ['', 'message', message]
  if (org === undefined) return undefined
  if (contact !== undefined) return [org, 'contact', contact]
  if (conversation !== undefined) return [org, 'conversation', conversation]
  return type === undefined ? undefined : [org, 'type', type]
}

function* rows(
  db: Database,
  at: Destination | undefined,
  how: string,
  ...values: (string | number)[]
): Generator<Found, undefined> {
  // A statement of its own: several may be half read at once.
  for (const row of db.each(`SELECT ${columns} FROM entries e ${how}`, at ?? null, ...values)) {
    yield { ...shownOf(row), ...(row.history === null ? {} : { history: row.history as Uint8Array }) }
  }
}

export function read(db: Database, id: number): ReadEntry | undefined {
  const row = db.get(
    `SELECT ${columns}, k.sealed AS known FROM entries e ${joined} LEFT JOIN learnt k ON k.id = e.id WHERE e.id = ?2`,
    null,
    id,
  )
  if (!row) return undefined
  const found = { ...shownOf(row), ...(row.history === null ? {} : { history: row.history as Uint8Array }) }
  const known = row.known as Uint8Array | null
  const sealed = { body: bodyAt(db, bodyOf(id)), position: positionOf(id), ...(known ? { known } : {}) }
  return { ...bare(withAnswer(db, found)), ...sealed }
}

export function lastReceivedAt(db: Database): number | undefined {
  return db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1')?.at as number | undefined
}

export { lanesOf as lanes }

function lanesOf(db: Database, org: LaneKey['org']): LaneShown[] {
  return db.all('SELECT * FROM lanes WHERE org = ? ORDER BY lane DESC, destination', org).map(laneOf)
}
