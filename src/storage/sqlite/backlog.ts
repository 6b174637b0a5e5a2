/** What is there now and not delivered, by state and reason. */
import type { Destination, State } from '../ports/entry.ts'
import { type BacklogRow, type Snapshot, type Total, tallyMax } from '../ports/lookup.ts'
import { waitingBy } from '../waiting.ts'
import type { Database, Row } from './database.ts'
import { destinationsOf } from './destinations.ts'

/** What waits, counted in the queue alone: a backlog of a million takes some ten milliseconds. */
const queued = `SELECT c.org, c.destination, 'waiting' AS state, coalesce(l.hold, l.blocked) AS why, c.count, (
    SELECT e.received_at FROM queue q JOIN entries e ON e.id = q.id WHERE q.org = c.org AND q.destination = c.destination
    ORDER BY q.lane, q.place LIMIT 1
  ) AS oldest
  FROM (SELECT org, destination, count(*) AS count FROM queue GROUP BY org, destination) c
  LEFT JOIN lanes l ON l.org = c.org AND l.destination = c.destination AND l.lane = 'send'`

const excepted = `SELECT x.org, x.destination, x.state,
    CASE x.state WHEN 'asking' THEN coalesce(l.hold, l.blocked) ELSE x.reason END AS why,
    count(*) AS count, min(x.received_at) AS oldest
  FROM exceptions x LEFT JOIN lanes l ON l.org = x.org AND l.destination = 0 AND l.lane = 'ask'
  WHERE x.state <> 'waiting' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

const backlogRowOf = (row: Row): BacklogRow => ({
  org: row.org as string,
  destination: row.destination as number,
  state: row.state as State,
  ...(row.why === null ? {} : { reason: row.why as string }),
  count: Number(row.count),
  oldestReceivedAt: Number(row.oldest),
})

export function wholeBacklog(db: Database): BacklogRow[] {
  return [...db.all(queued), ...db.all(excepted)].map(backlogRowOf)
}

/** Groups of an account's exceptions, by the index that lists them; of each the ones that were kept first and last. */
const groups = `SELECT g.*, coalesce(l.hold, l.blocked) AS held,
    (SELECT received_at FROM exceptions WHERE id = g.first AND destination = g.destination) AS oldest,
    (SELECT received_at FROM exceptions WHERE id = g.last AND destination = g.destination) AS newest
  FROM (
    SELECT destination, state, CASE state WHEN 'asking' THEN NULL ELSE reason END AS reason,
      count(*) AS count, min(id) AS first, max(id) AS last
    FROM exceptions WHERE org = ?1 AND state IN ('asking', 'dead', 'quarantined', 'unclaimed') GROUP BY 1, 2, 3
  ) g LEFT JOIN lanes l ON g.state = 'asking' AND l.org = ?1 AND l.destination = 0 AND l.lane = 'ask' ORDER BY 1, 2, 3`

/** What is there of one account and not delivered; `totals` are the account's. */
export function backlogOf(db: Database, org: string, totals: readonly Total[]): Snapshot['backlog'] {
  const rest = db.all(groups, org).map((row) => ({
    ...backlogRowOf({ ...row, org, why: row.state === 'asking' ? row.held! : row.reason! }),
    newestReceivedAt: Number(row.newest),
  }))
  const waiting = destinationsOf(db, org).flatMap((destination) => waitingAt(db, org, destination, { totals, rest }))
  return [...waiting, ...rest]
}

/** A short queue is counted; of a long one the counts say how long it is. */
function waitingAt(
  db: Database,
  org: string,
  destination: Destination,
  { totals, rest }: { totals: readonly Total[]; rest: readonly BacklogRow[] },
): BacklogRow[] {
  const some = `SELECT 1 FROM queue WHERE org = ? AND destination = ? LIMIT ${tallyMax + 1}`
  const counted = Number(db.get(`SELECT count(*) AS count FROM (${some})`, org, destination)!.count)
  if (counted === 0) return []
  const row = db.get(
    `SELECT e.received_at AS oldest, coalesce(l.hold, l.blocked) AS why FROM (
       SELECT id FROM queue WHERE org = ?1 AND destination = ?2 ORDER BY lane, place LIMIT 1
     ) q JOIN entries e ON e.id = q.id LEFT JOIN lanes l ON l.org = ?1 AND l.destination = ?2 AND l.lane = 'send'`,
    org,
    destination,
  )!
  const count = counted > tallyMax ? Math.max(counted, waitingBy(totals, rest, destination)) : counted
  return [backlogRowOf({ ...row, org, destination, state: 'waiting', count })]
}
