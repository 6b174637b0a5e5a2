/** Entries that a query may find, as they stand at one destination, what was kept last first. */
import { candidateIds, columnsFor, type Range, stepMax } from '../candidates.ts'
import type { Destination } from '../ports/entry.ts'
import type { Query } from '../ports/lookup.ts'
import { type Look, lookOf } from '../rows.ts'
import type { Database } from './database.ts'

/** Of entries `e`: where they stand at this destination, and why. */
export const standingAt = (
  destination: string,
) => `${destination} AS destination, x.destination AS excepted, x.state, x.state IS NULL AND EXISTS (
    SELECT 1 FROM queue WHERE org = e.org AND destination = ${destination} AND lane IN (0, 1) AND place = e.id
  ) AS queued,
  CASE WHEN x.state IS NULL OR x.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.blocked, x.reason) ELSE x.reason END AS why`

// An entry is an exception at all (0), or at this destination: never both.
export const joinedAt = (
  destination: string,
) => `LEFT JOIN exceptions x ON x.id = e.id AND x.destination IN (0, ${destination})
  LEFT JOIN lanes l ON l.org = e.org AND l.lane = CASE x.state WHEN 'asking' THEN 'ask' ELSE 'send' END
    AND l.destination = CASE x.state WHEN 'asking' THEN 0 ELSE ${destination} END`

/** The first destination of the entry's account. */
export const firstOfItsOwn =
  'coalesce((SELECT min(number) FROM destinations WHERE org = e.org AND removed_at IS NULL), 0)'

/** Whose state is shown where none is named. */
export function firstDestinationOf(db: Database, org: string): Destination {
  const sql = 'SELECT min(number) AS number FROM destinations WHERE org = ? AND removed_at IS NULL'
  return Number(db.get(sql, org)?.number ?? 0)
}

/** All that is shown of them. */
export const columnsAt = (destination: string) =>
  `e.*, x.due_at, coalesce(x.failures, 0) AS failures, ${standingAt(destination)}`

/** `page`: so many are fetched at first. */
export function* candidates(db: Database, query: Query, { first, below }: Range, page = stepMax): Generator<Look> {
  if (query.states?.length === 0) return
  const { org, destination: named } = query
  const at = named ?? (org === undefined ? undefined : firstDestinationOf(db, org))
  let end = below
  for (let limit = Math.min(page, stepMax); ; limit = stepMax) {
    const values: (string | number)[] = []
    const given = (value: string | number) => `?${values.push(value)}`
    const isNamed = given(named === undefined ? 0 : 1)
    const destination = at === undefined ? firstOfItsOwn : given(at)
    const ids = candidateIds(query, { range: { first, below: end }, limit, given, destination })
    const rows = db
      .all(
        `SELECT i.id AS looked, ${columnsFor(query)}, ${standingAt(destination)}, ${isNamed} AS is_named
         FROM (${ids}) i LEFT JOIN entries e ON e.id = i.id ${joinedAt(destination)}`,
        ...values,
      )
      .sort((one, other) => Number(other.looked) - Number(one.looked))
    yield* rows.map(lookOf)
    if (rows.length < limit) return
    end = Number(rows.at(-1)!.looked)
  }
}
