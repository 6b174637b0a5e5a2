/** What is there now and not delivered, by state and reason. */
import type { State } from '../ports/entry.ts'
import type { Snapshot, Standing } from '../ports/lookup.ts'
import type { Database, Row } from './database.ts'

/** What waits, counted in the queue alone: a backlog of a million takes some ten milliseconds. */
const queuedOf = (
  which: string,
) => `SELECT c.org, c.destination, 'waiting' AS state, coalesce(l.hold, l.trouble) AS why, c.count, (
    SELECT e.received_at FROM queue q JOIN entries e ON e.id = q.id WHERE q.org = c.org AND q.destination = c.destination
    ORDER BY q.lane, q.place LIMIT 1
  ) AS oldest
  FROM (SELECT org, destination, count(*) AS count FROM queue ${which} GROUP BY org, destination) c
  LEFT JOIN lanes l ON l.org = c.org AND l.destination = c.destination AND l.lane = 'send'`

const exceptedOf = (which: string) => `SELECT x.org, x.destination, x.state,
    CASE x.state WHEN 'asking' THEN coalesce(l.hold, l.trouble) ELSE x.reason END AS why,
    count(*) AS count, min(x.received_at) AS oldest, max(x.received_at) AS newest
  FROM exceptions x LEFT JOIN lanes l ON l.org = x.org AND l.destination = 0 AND l.lane = 'ask'
  WHERE x.state <> 'waiting' ${which} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

const standingOf = (row: Row): Standing => ({
  org: row.org as string,
  destination: row.destination as number,
  state: row.state as State,
  ...(row.why === null ? {} : { reason: row.why as string }),
  count: Number(row.count),
  oldestReceivedAt: Number(row.oldest),
})

export function allStandings(db: Database): Standing[] {
  return [...db.all(queuedOf('')), ...db.all(exceptedOf(''))].map(standingOf)
}

/** What is there of one account and not delivered. */
export function standingsOf(db: Database, org: string): Snapshot['standings'] {
  const excepted = db.all(exceptedOf('AND x.org = ?'), org)
  return [
    ...db.all(queuedOf('WHERE org = ?'), org).map(standingOf),
    ...excepted.map((row) => ({ ...standingOf(row), newestReceivedAt: Number(row.newest) })),
  ]
}
