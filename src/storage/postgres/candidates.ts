/** Entries that a query may find, as they stand at one destination, what was kept last first. */
import { candidateIds, columnsFor, type Range, stepMax } from '../candidates.ts'
import type { Query } from '../ports/lookup.ts'
import { type Look, lookOf } from '../rows.ts'
import type { Session } from './database.ts'

/** Whose state is shown: this one's or, where it is null, the first destination's. */
export const destinationAt = (named: string, org: string) =>
  `coalesce(${named}::integer, (SELECT min(number) FROM destinations WHERE org = ${org} AND removed_at IS NULL), 0)`

/** Of entries `e`: where they stand at the destination `d.at`, and why. */
const backlogRow = `d.at AS destination, x.destination AS excepted, x.state, (x.state IS NULL AND EXISTS (
    SELECT 1 FROM queue WHERE org = e.org AND destination = d.at AND lane IN (0, 1) AND place = e.id
  ))::integer AS queued,
  CASE WHEN x.state IS NULL OR x.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.blocked, x.reason) ELSE x.reason END AS why`

/** All that is shown of them. */
export const columns = `e.*, x.due_at, coalesce(x.failures, 0) AS failures, ${backlogRow}`

// An entry is an exception at all (0), or at this destination: never both.
export const joinedAt = (destination: string) => `LEFT JOIN LATERAL (SELECT ${destination} AS at) d ON true
  LEFT JOIN exceptions x ON x.id = e.id AND x.destination IN (0, d.at)
  LEFT JOIN lanes l ON l.org = e.org AND l.lane = CASE x.state WHEN 'asking' THEN 'ask' ELSE 'send' END
    AND l.destination = CASE x.state WHEN 'asking' THEN 0 ELSE d.at END`

/** `page`: so many are fetched at first. */
export async function* candidates(
  session: Session,
  query: Query,
  { first, below }: Range,
  page = stepMax,
): AsyncGenerator<Look> {
  if (query.states?.length === 0) return
  const { org, destination: named } = query
  let end = below
  for (let limit = Math.min(page, stepMax); ; limit = stepMax) {
    const values: unknown[] = []
    const given = (value: unknown) => `$${values.push(value)}`
    const [at, isNamed] = [given(named ?? null), named === undefined ? 0 : 1]
    const own = destinationAt(at, org === undefined ? 'e.org' : given(org))
    const ids = candidateIds(query, { range: { first, below: end }, limit, given, destination: own })
    const rows = await session.all(
      `SELECT i.id AS looked, ${columnsFor(query)}, ${backlogRow}, ${isNamed} AS is_named
       FROM (${ids}) i LEFT JOIN entries e ON e.id = i.id ${joinedAt(own)} ORDER BY i.id DESC`,
      ...values,
    )
    yield* rows.map(lookOf)
    if (rows.length < limit) return
    end = Number(rows.at(-1)!.looked)
  }
}
