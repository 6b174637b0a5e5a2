/** Looking at entries. What people search by stands in `search_index`, which follows the entries after they are answered. */

import { countedStates, everything, isAsked, listed, looksMax, type Range } from '../candidates.ts'
import { lastAt } from '../history.ts'
import { bodyOf, positionOf } from '../place.ts'
import type { Destination, LaneKey } from '../ports/entry.ts'
import type { Beside, Cursor, LaneShown, Query, ReadEntry, Shown, Tallied, Tally } from '../ports/lookup.ts'
import { tallyMax } from '../ports/lookup.ts'
import { indexTermOf, isBelow, matches, orderMs, tallied, talliedAt } from '../query.ts'
import { answeredBy, type Found, foundIn, laneOf, learntAt } from '../rows.ts'
import { historyOf } from './attempts.ts'
import { candidates, columnsAt, firstDestinationOf, firstOfItsOwn, joinedAt } from './candidates.ts'
import { bodyAt } from './claim.ts'
import type { Database, Row } from './database.ts'
import { idsAt } from './ids-at.ts'

/** Entries that one step of indexing covers: about 3 ms, in which webhooks wait for their answer. */
const stepMax = 250

export function isBehind(db: Database): boolean {
  return db.get('SELECT 1 FROM entries WHERE id > (SELECT last FROM indexed) LIMIT 1') !== undefined
}

/** Indexes what has been appended since; true when there may be more. One statement for all: one for each row costs twice as much. */
export function indexStep(db: Database): boolean {
  const last = Number(db.get('SELECT last FROM indexed')!.last)
  const step = 'SELECT id FROM entries WHERE id > ? ORDER BY id LIMIT ?'
  const { end, many } = db.get(`SELECT max(id) AS end, count(*) AS many FROM (${step})`, last, stepMax)!
  if (many === 0) return false
  db.run(indexBetween, last, end!)
  db.run('UPDATE indexed SET last = ?', end!)
  return many === stepMax
}

/** As `termsOf` has it. */
const indexBetween = `WITH e AS (
    SELECT id, org, type, message_id, contact, conversation FROM entries WHERE id > ?1 AND id <= ?2
  )
  INSERT OR IGNORE INTO search_index (org, kind, value, id)
  SELECT '', 'message', message_id, id FROM e
  UNION ALL SELECT org, 'type', type, id FROM e
  UNION ALL SELECT org, 'contact', contact, id FROM e WHERE contact IS NOT NULL
  UNION ALL SELECT org, 'conversation', conversation, id FROM e WHERE conversation IS NOT NULL`

export function addToIndex(db: Database, row: Row): void {
  for (const [org, kind, value] of termsOf(row)) {
    db.run('INSERT OR IGNORE INTO search_index VALUES (?, ?, ?, ?)', org, kind, value, row.id!)
  }
}

export function removeFromIndex(db: Database, row: Row): void {
  for (const [org, kind, value] of termsOf(row)) {
    const sql = 'DELETE FROM search_index WHERE org = ? AND kind = ? AND value = ? AND id = ?'
    db.run(sql, org, kind, value, row.id!)
  }
}

/** A message is found without its account too. */
function termsOf({ org, type, message_id, contact, conversation }: Row): [org: string, kind: string, value: string][] {
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
  for (const { id, found } of candidates(db, query, within(db, query, before), limit + 1)) {
    const row = found && isBelow(found, before) && matches(found, query) && rowAt(db, id, query.destination)
    // It may have gone on since.
    const shown = row && foundIn(row)
    if (shown && matches(shown, query)) entries.push(bare(withAnswer(db, shown)))
    if (entries.length === limit || ++looks === looksMax) return { entries, next: { id } }
  }
  return { entries }
}

function bare({ history: _, ...shown }: Found): Shown {
  return shown
}

function withAnswer(db: Database, shown: Found): Found {
  const last = lastAt(shown.history, shown.destination)
  return answeredBy(shown, last && db.get('SELECT * FROM attempts WHERE id = ?', last.attempt))
}

/** Ids between which everything of this time is, and below the place where a list goes on. */
function within(db: Database, { org, from, to }: Query, before?: Cursor): Range {
  const end = before?.id ?? everything.below
  return {
    first: from === undefined ? 0 : idsAt(db, org, from - orderMs).first,
    below: to === undefined ? end : Math.min(end, idsAt(db, org, to + orderMs).below),
  }
}

export function tally(db: Database, query: Query & { org: string }): Tally {
  const { org, from, to } = query
  const isAll = countedStates(query).all
  const hasReason = query.reason !== undefined || query.notReason !== undefined
  const isByTimeAlone = indexTermOf(query) === undefined && !(isAll && (hasReason || keepsIgnored(db, org)))
  const first = from === undefined ? 0 : idsAt(db, org, from + orderMs).below
  const below = to === undefined ? everything.below : idsAt(db, org, to - orderMs).first
  const whole = within(db, query)
  if (!isByTimeAlone || first >= below) return looked(db, query, [whole])
  // What lies near the ends is looked at one by one, and what came before a destination that is named.
  const given = isAll ? Math.min(Math.max(first, givenFrom(db, query)), below) : first
  const near = looked(db, query, [
    ...(from === undefined ? [] : [{ first: whole.first, below: first }]),
    ...(to === undefined ? [] : [{ first: below, below: whole.below }]),
    ...(given > first ? [{ first, below: given }] : []),
  ])
  const between = countedBetween(db, query, { first: given, below })
  const rows = tallied([...near.rows, ...between.rows]).filter((row) => isAsked(row, query))
  return { rows, isCut: near.isCut || between.isCut }
}

/** From where on all that came was meant for the destination that a query names. */
function givenFrom(db: Database, { org, destination: at }: Query): number {
  if (at === undefined) return 0
  const sql = 'SELECT since FROM destinations WHERE org = ? AND number = ?'
  return Number(db.get(sql, org!, at)?.since ?? -1) + 1
}

/** What options have left out is kept, and no index tells it from what was delivered. */
function keepsIgnored(db: Database, org: string): boolean {
  const kept = "outcome = 'ignored' AND reason IN ('filtered', 'no_consent') AND count > 0"
  return db.get(`SELECT 1 FROM counts WHERE org = ? AND ${kept} LIMIT 1`, org) !== undefined
}

/** Entry by entry, at most as many as one call of `find` looks at. */
function looked(db: Database, query: Query, ranges: readonly Range[]): Tally {
  const rows: Tallied[] = []
  let many = 0
  for (const range of ranges) {
    for (const { found } of candidates(db, query, range)) {
      if (found && matches(found, query)) rows.push({ ...tallyOf(found), count: 1 })
      if (++many === looksMax) return { rows: tallied(rows), isCut: true }
    }
  }
  return { rows: tallied(rows), isCut: false }
}

function tallyOf({ state, reason }: Pick<Shown, 'state' | 'reason'>): Omit<Tallied, 'count'> {
  return { state, ...(reason === undefined ? {} : { reason }) }
}

/** By the indexes alone: what is in the queue, what is an exception, and all; what is neither was delivered. */
function countedBetween(db: Database, query: Query, { first, below }: Range): Tally {
  const { org, destination: asked } = query
  const { inHand, all: isAll } = countedStates(query)
  const of = [org!, first, below] as const
  const at = asked ?? firstDestinationOf(db, org!)
  const many = (sql: string, ...values: (string | number)[]) =>
    Number(db.get(`SELECT count(*) AS many FROM (${sql} LIMIT ${tallyMax + 1})`, ...values)!.many)
  const all = isAll ? many('SELECT 1 FROM entries WHERE org = ?1 AND id >= ?2 AND id < ?3', ...of) : undefined
  const waiting = inHand.includes('waiting')
    ? many(
        `SELECT 1 FROM queue WHERE org = ?1 AND destination = ?4 AND lane IN (0, 1) AND place >= ?2 AND place < ?3 AND place = id`,
        ...of,
        at,
      )
    : 0
  const excepted = db.all(
    `SELECT state, reason, count(*) AS count FROM (
       SELECT state, reason FROM exceptions
       WHERE org = ?1 AND state IN (${listed(inHand)}) AND destination IN (0, ?4) AND id >= ?2 AND id < ?3
       LIMIT ${tallyMax + 1}
     ) GROUP BY 1, 2`,
    ...of,
    at,
  )
  return talliedAt(at, { all, waiting, excepted, lanes: lanesOf(db, org!) })
}

export function beside(db: Database, id: number): Beside {
  const own = db.get('SELECT org, contact FROM entries WHERE id = ?', id)
  if (typeof own?.contact !== 'string') return {}
  const near = (how: string) =>
    db.get(
      `SELECT e.message_id AS message FROM search_index s JOIN entries e ON e.id = s.id
       WHERE s.org = ?1 AND s.kind = 'contact' AND s.value = ?2 AND s.id ${how} LIMIT 1`,
      own.org as string,
      own.contact as string,
      id,
    )?.message as string | undefined
  const [previous, next] = [near('< ?3 ORDER BY s.id DESC'), near('> ?3 ORDER BY s.id')]
  return { ...(previous ? { previous } : {}), ...(next ? { next } : {}) }
}

const shownAt = `coalesce(?1, ${firstOfItsOwn})`

function rowAt(db: Database, id: number, at: Destination | undefined): Row | undefined {
  const sql = `SELECT ${columnsAt(shownAt)}, ?1 IS NOT NULL AS is_named, ${learntAt(shownAt)} AS known
     FROM entries e ${joinedAt(shownAt)} WHERE e.id = ?2`
  return db.get(sql, at ?? null, id)
}

export function read(db: Database, id: number, at?: Destination): ReadEntry | undefined {
  const row = rowAt(db, id, at)
  if (!row) return undefined
  const found = foundIn(row)
  const known = row.known as Uint8Array | null
  const sealed = { body: bodyAt(db, bodyOf(id)), position: positionOf(id), ...(known ? { known } : {}) }
  return { ...bare(withAnswer(db, found)), ...sealed }
}

export function lastReceivedAt(db: Database): number | undefined {
  return db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1')?.at as number | undefined
}

export const history = historyOf
export { lanesOf as lanes }

function lanesOf(db: Database, org: LaneKey['org']): LaneShown[] {
  return db.all('SELECT * FROM lanes WHERE org = ? ORDER BY lane DESC, destination', org).map(laneOf)
}
