/** Looking at entries: candidates come from the index that leaves the least to look at, page by page. */

import { countedStates, everything, isAsked, listed, looksMax, type Range } from '../candidates.ts'
import { lastAt } from '../history.ts'
import { bodyOf, positionOf } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Beside, Cursor, LaneShown, Query, ReadEntry, Shown, Tallied, Tally } from '../ports/lookup.ts'
import { tallyMax } from '../ports/lookup.ts'
import { indexTermOf, isBelow, matches, orderMs, tallied, talliedAt } from '../query.ts'
import { answeredBy, type Found, foundIn, laneOf, learntAt } from '../rows.ts'
import { candidates, columns, destinationAt, joinedAt } from './candidates.ts'
import type { Database, Session } from './database.ts'
import { idsAt } from './ids-at.ts'
import { consistentRead } from './records.ts'

export async function find(
  db: Database,
  query: Query,
  { before, limit }: { before?: Cursor; limit: number },
): Promise<{ entries: Shown[]; next?: Cursor }> {
  const ids: number[] = []
  let looks = 0
  let next: Cursor | undefined
  for await (const { id, found } of candidates(db, query, await within(db, query, before), limit + 1)) {
    if (found && isBelow(found, before) && matches(found, query)) ids.push(id)
    if (ids.length < limit && ++looks < looksMax) continue
    next = { id }
    break
  }
  const sql = `SELECT ${columns}, ($1::integer IS NOT NULL)::integer AS is_named
    FROM entries e ${joinedAt(destinationAt('$1', 'e.org'))} WHERE e.id = ANY ($2) ORDER BY e.id DESC`
  const rows = ids.length > 0 ? await db.all(sql, query.destination ?? null, ids) : []
  // They may have gone on since.
  const found = rows.map(foundIn).filter((one) => matches(one, query))
  return { entries: await withAnswers(db, found), ...(next && { next }) }
}

async function withAnswers(db: Database, found: readonly Found[]): Promise<Shown[]> {
  const last = found.map(({ history, destination: at }) => lastAt(history, at)?.attempt)
  const ids = last.filter((id) => id !== undefined)
  const rows = ids.length > 0 ? await db.all('SELECT * FROM attempts WHERE id = ANY ($1)', ids) : []
  const attempts = new Map(rows.map((row) => [Number(row.id), row]))
  return found.map(({ history: _, ...one }, at) =>
    answeredBy(one, last[at] === undefined ? undefined : attempts.get(last[at])),
  )
}

/** Ids between which everything of this time is, and below the place where a list goes on. */
async function within(db: Session, { org, from, to }: Query, before?: Cursor): Promise<Range> {
  const end = before?.id ?? everything.below
  const [first, below] = await Promise.all([
    from === undefined ? 0 : idsAt(db, org, from - orderMs).then((ids) => ids.first),
    to === undefined ? end : idsAt(db, org, to + orderMs).then((ids) => Math.min(end, ids.below)),
  ])
  return { first, below }
}

export async function tally(db: Database, query: Query & { org: string }): Promise<Tally> {
  return db.transaction(async (session) => {
    await session.script(consistentRead)
    const { org, from, to } = query
    const isAll = countedStates(query).all
    const hasReason = query.reason !== undefined || query.notReason !== undefined
    const isByTimeAlone =
      indexTermOf(query) === undefined && !(isAll && (hasReason || (await keepsIgnored(session, query.org))))
    const first = from === undefined ? 0 : (await idsAt(session, org, from + orderMs)).below
    const below = to === undefined ? everything.below : (await idsAt(session, org, to - orderMs)).first
    if (!isByTimeAlone || first >= below) return looked(session, query, [await within(session, query)])
    // What lies near the ends is looked at one by one, and what came before a destination that is named.
    const given = isAll ? Math.min(Math.max(first, await givenFrom(session, query)), below) : first
    const whole = await within(session, query)
    const ends = [
      ...(from === undefined ? [] : [{ first: whole.first, below: first }]),
      ...(to === undefined ? [] : [{ first: below, below: whole.below }]),
      ...(given > first ? [{ first, below: given }] : []),
    ]
    const near = await looked(session, query, ends)
    const between = await countedBetween(session, query, { first: given, below })
    const rows = tallied([...near.rows, ...between.rows]).filter((row) => isAsked(row, query))
    return { rows, isCut: near.isCut || between.isCut }
  })
}

/** From where on all that came was meant for the destination that a query names. */
async function givenFrom(session: Session, { org, destination: at }: Query): Promise<number> {
  if (at === undefined) return 0
  const row = await session.get('SELECT since FROM destinations WHERE org = $1 AND number = $2', org, at)
  return Number(row?.since ?? -1) + 1
}

/** What options have left out is kept, and no index tells it from what was delivered. */
async function keepsIgnored(session: Session, org: string): Promise<boolean> {
  const kept = "outcome = 'ignored' AND reason IN ('filtered', 'no_consent') AND count > 0"
  return (await session.get(`SELECT 1 FROM counts WHERE org = $1 AND ${kept} LIMIT 1`, org)) !== undefined
}

/** Entry by entry, at most as many as one call of `find` looks at. */
async function looked(session: Session, query: Query, ranges: readonly Range[]): Promise<Tally> {
  const rows: Tallied[] = []
  let many = 0
  for (const range of ranges) {
    for await (const { found } of candidates(session, query, range)) {
      if (found && matches(found, query)) {
        const { state, reason } = found
        rows.push({ state, ...(reason === undefined ? {} : { reason }), count: 1 })
      }
      if (++many === looksMax) return { rows: tallied(rows), isCut: true }
    }
  }
  return { rows: tallied(rows), isCut: false }
}

/** By the indexes alone: what is in the queue, what is an exception, and all; what is neither was delivered. */
async function countedBetween(session: Session, query: Query, { first, below }: Range): Promise<Tally> {
  const { org, destination: asked } = query
  const { inHand, all: isAll } = countedStates(query)
  const own = await session.get(`SELECT ${destinationAt('$1', '$2')} AS at`, asked ?? null, org)
  const at = Number(own!.at)
  const many = async (sql: string, ...values: unknown[]) =>
    Number((await session.get(`SELECT count(*) AS many FROM (${sql} LIMIT ${tallyMax + 1}) s`, ...values))!.many)
  const all = isAll
    ? await many('SELECT 1 FROM entries WHERE org = $1 AND id >= $2 AND id < $3', org, first, below)
    : undefined
  const waiting = inHand.includes('waiting')
    ? await many(
        'SELECT 1 FROM queue WHERE org = $1 AND destination = $4 AND lane IN (0, 1) AND place >= $2 AND place < $3 AND place = id',
        org,
        first,
        below,
        at,
      )
    : 0
  const excepted = await session.all(
    `SELECT state, reason, count(*) AS count FROM (
       SELECT state, reason FROM exceptions
       WHERE org = $1 AND state IN (${listed(inHand)}) AND destination IN (0, $4) AND id >= $2 AND id < $3
       LIMIT ${tallyMax + 1}
     ) s GROUP BY 1, 2`,
    org,
    first,
    below,
    at,
  )
  return talliedAt(at, { all, waiting, excepted, lanes: await lanesOf(session, org!) })
}

export async function beside(db: Database, id: number): Promise<Beside> {
  const near = (how: string) =>
    `(SELECT n.message_id FROM search_index s JOIN entries n ON n.id = s.id
      WHERE s.org = e.org AND s.kind = 'contact' AND s.value = e.contact AND s.id ${how} LIMIT 1)`
  const sql = `SELECT ${near('< e.id ORDER BY s.id DESC')} AS previous, ${near('> e.id ORDER BY s.id')} AS next
    FROM entries e WHERE e.id = $1 AND e.contact IS NOT NULL`
  const { previous, next } = (await db.get(sql, id)) ?? {}
  return { ...(previous ? { previous: previous as string } : {}), ...(next ? { next: next as string } : {}) }
}

export async function read(db: Database, id: number, at?: Destination): Promise<ReadEntry | undefined> {
  const row = await db.get(
    `SELECT ${columns}, ($1::integer IS NOT NULL)::integer AS is_named, b.version, b.sealed, ${learntAt('d.at')} AS known
     FROM entries e LEFT JOIN bodies b ON b.id = e.id - e.id % 128 ${joinedAt(destinationAt('$1', 'e.org'))} WHERE e.id = $2`,
    at ?? null,
    id,
  )
  if (!row) return undefined
  const [found] = await withAnswers(db, [foundIn(row)])
  const known = row.known as Uint8Array | null
  const sealed = row.sealed as Uint8Array | null
  const body = sealed === null ? undefined : { id: bodyOf(id), version: Number(row.version), sealed }
  return { ...found!, body, position: positionOf(id), ...(known ? { known } : {}) }
}

export async function lastReceivedAt(db: Database): Promise<number | undefined> {
  return (await db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1'))?.at as number | undefined
}

export { history } from './attempts.ts'
export { lanesOf as lanes }

async function lanesOf(db: Session, org: string): Promise<LaneShown[]> {
  const sql = 'SELECT * FROM lanes WHERE org = $1 ORDER BY lane DESC, destination'
  return (await db.all(sql, org)).map(laneOf)
}
