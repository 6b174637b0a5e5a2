/** Looking at entries: candidates come from the index that leaves the least to look at, page by page. */

import { lastAt } from '../history.ts'
import { positionOf } from '../place.ts'
import type { Attempt } from '../ports/entry.ts'
import type { Cursor, LaneShown, Query, ReadEntry, Shown } from '../ports/lookup.ts'
import { isBelow, matches } from '../query.ts'
import { laneOf, shownOf } from '../rows.ts'
import type { Database } from './database.ts'

/** Entries that one call looks at. */
const looksMax = 10_000
/** Entries that are fetched at once. */
const stepMax = 1_000

/** Whose state is shown: the first destination's, where none is named (`$1`). */
const destination = `coalesce($1::integer, (SELECT min(number) FROM destinations WHERE org = e.org AND removed_at IS NULL), 0)`
const shown = `e.*, b.version, d.at AS destination, x.destination AS excepted, x.state, x.due_at,
  coalesce(x.failures, 0) AS failures, EXISTS (
    SELECT 1 FROM queue WHERE org = e.org AND destination = d.at AND lane = 0 AND place = e.id
  )::integer AS queued,
  CASE WHEN x.state IS NULL OR x.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.trouble, x.reason) ELSE x.reason END AS why`
// An entry is an exception at all (0), or at this destination: never both.
const joined = `CROSS JOIN LATERAL (SELECT ${destination} AS at) d
  LEFT JOIN bodies b ON b.id = e.id - e.id % 128
  LEFT JOIN exceptions x ON x.id = e.id AND x.destination IN (0, d.at)
  LEFT JOIN lanes l ON l.org = e.org AND l.lane = CASE x.state WHEN 'asking' THEN 'ask' ELSE 'send' END
    AND l.destination = CASE x.state WHEN 'asking' THEN 0 ELSE d.at END`

type Found = Shown & { history?: Uint8Array }

export async function find(
  db: Database,
  query: Query,
  { before, limit }: { before?: Cursor; limit: number },
): Promise<{ entries: Shown[]; next?: Cursor }> {
  const entries: Found[] = []
  let cursor = before
  for (let looks = 0; looks < looksMax; ) {
    const rows = await candidates(db, query, cursor, Math.min(stepMax, looks === 0 ? limit + 1 : stepMax))
    for (const one of rows) {
      cursor = { id: one.id }
      looks++
      if (isBelow(one, before) && matches(one, query)) entries.push(one)
      if (entries.length === limit) return { entries: await withAnswers(db, entries), next: cursor }
    }
    if (rows.length === 0) return { entries: await withAnswers(db, entries) }
  }
  return { entries: await withAnswers(db, entries), next: cursor! }
}

async function withAnswers(db: Database, found: readonly Found[]): Promise<Shown[]> {
  const last = found.map(({ history, destination: at }) => lastAt(history, at)?.attempt)
  const ids = last.filter((id) => id !== undefined)
  const rows =
    ids.length > 0 ? await db.all('SELECT id, status, many, tries FROM attempts WHERE id = ANY ($1)', ids) : []
  const attempts = new Map(
    rows.map(({ id, status, many, tries }) => [
      Number(id),
      { status, many, tries } as Pick<Attempt, 'status' | 'many' | 'tries'>,
    ]),
  )
  return found.map(({ history: _, ...one }, at) => {
    const answer = last[at] === undefined ? undefined : attempts.get(last[at])
    return { ...one, ...(answer && { answer }) }
  })
}

/** Everything that may match, what was kept last first. */
async function candidates(db: Database, query: Query, before: Cursor | undefined, limit: number): Promise<Found[]> {
  const values: unknown[] = [query.destination ?? null]
  const given = (value: unknown) => `$${values.push(value)}`
  const { org, states } = query
  const below = before ? `id < ${given(before.id)}` : 'true'
  const inHand = states && !states.includes('delivered') && !states.includes('ignored')
  const sought = soughtBy(query)
  const source = () => {
    if (sought) {
      const [of, kind, value] = sought.map(given)
      return `SELECT id FROM search_index WHERE org = ${of} AND kind = ${kind} AND value = ${value} AND ${below}`
    }
    if (org === undefined) return `SELECT id FROM entries WHERE ${below}`
    if (!inHand) return `SELECT id FROM entries WHERE org = ${given(org)} AND ${below}`
    const [of, wanted] = [given(org), given(states)]
    return `SELECT id FROM exceptions WHERE org = ${of} AND state = ANY (${wanted}) AND ${below}
      UNION SELECT id FROM queue WHERE org = ${of} AND 'waiting' = ANY (${wanted}) AND ${below}`
  }
  const sql = `SELECT ${shown} FROM (${source()} ORDER BY id DESC LIMIT ${given(limit)}) i
    JOIN entries e ON e.id = i.id ${joined} ORDER BY e.id DESC`
  return (await db.all(sql, ...values)).map((row) => ({
    ...shownOf(row),
    ...(row.history === null ? {} : { history: row.history as Uint8Array }),
  }))
}

function soughtBy(query: Query): [org: string, kind: string, value: string] | undefined {
  const { org, message, contact, conversation, type } = query
  if (message !== undefined) return ['', 'message', message]
  if (org === undefined) return undefined
  if (contact !== undefined) return [org, 'contact', contact]
  if (conversation !== undefined) return [org, 'conversation', conversation]
  return type === undefined ? undefined : [org, 'type', type]
}

export async function read(db: Database, id: number): Promise<ReadEntry | undefined> {
  const row = await db.get(
    `SELECT ${shown}, b.sealed, k.sealed AS known FROM entries e ${joined} LEFT JOIN learnt k ON k.id = e.id
     WHERE e.id = $2`,
    null,
    id,
  )
  if (!row) return undefined
  const [found] = await withAnswers(db, [{ ...shownOf(row), history: (row.history ?? new Uint8Array()) as Uint8Array }])
  const known = row.known as Uint8Array | null
  const body = row.sealed === null ? undefined : { ...found!.body, sealed: row.sealed as Uint8Array }
  return { ...found!, body, position: positionOf(id), ...(known ? { known } : {}) }
}

export async function lastReceivedAt(db: Database): Promise<number | undefined> {
  return (await db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1'))?.at as number | undefined
}

export { lanesOf as lanes }

async function lanesOf(db: Database, org: string): Promise<LaneShown[]> {
  const sql = 'SELECT * FROM lanes WHERE org = $1 ORDER BY lane DESC, destination'
  return (await db.all(sql, org)).map(laneOf)
}
