/** What is there now and not delivered, by state and reason. */
import type { Destination, State } from './ports/entry.ts'
import { type BacklogRow, type Snapshot, type Total, tallyMax } from './ports/lookup.ts'
import { all, type Row, type Statements } from './statements.ts'
import { waitingBy } from './waiting.ts'

/** What waits, counted in the queue alone: a backlog of a million takes some ten milliseconds. */
const queued = `SELECT c.org, c.destination, 'waiting' AS state, coalesce(l.hold, l.blocked) AS why, c.count, (
    SELECT e.received_at FROM queue q JOIN entries e ON e.id = q.id WHERE q.org = c.org AND q.destination = c.destination
    ORDER BY q.lane, q.place LIMIT 1
  ) AS oldest
  FROM (SELECT org, destination, count(*) AS count FROM queue GROUP BY org, destination) c
  LEFT JOIN lanes l ON l.org = c.org AND l.destination = c.destination AND l.lane = 'send' ORDER BY 1, 2`

const excepted = `SELECT x.org, x.destination, x.state,
    CASE x.state WHEN 'asking' THEN coalesce(l.hold, l.blocked) ELSE x.reason END AS why,
    CASE x.state WHEN 'asking' THEN nullif(x.reason, 'asking') END AS lookup_reason,
    count(*) AS count, min(x.received_at) AS oldest
  FROM exceptions x LEFT JOIN lanes l ON l.org = x.org AND l.destination = 0 AND l.lane = 'ask'
  WHERE x.state <> 'waiting' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`

/** Groups of an account's exceptions, by the index that lists them; of each the ones that were kept first and last. */
const groups = `SELECT g.*, coalesce(l.hold, l.blocked) AS held,
    (SELECT received_at FROM exceptions WHERE id = g.first AND destination = g.destination) AS oldest,
    (SELECT received_at FROM exceptions WHERE id = g.last AND destination = g.destination) AS newest
  FROM (
    SELECT destination, state, CASE state WHEN 'asking' THEN NULL ELSE reason END AS reason,
      count(*) AS count, min(id) AS first, max(id) AS last
    FROM exceptions WHERE org = $1 AND state IN ('asking', 'dead', 'quarantined', 'unclaimed') GROUP BY 1, 2, 3
  ) g LEFT JOIN lanes l ON g.state = 'asking' AND l.org = $1 AND l.destination = 0 AND l.lane = 'ask' ORDER BY 1, 2, 3`

/** A short queue is counted; of a long one the counts say how long it is. */
const waiting = `SELECT d.number AS destination, 'waiting' AS state, (
    SELECT count(*) FROM (SELECT 1 FROM queue WHERE org = $1 AND destination = d.number LIMIT ${tallyMax + 1}) s
  ) AS count, (
    SELECT e.received_at FROM (
      SELECT id FROM queue WHERE org = $1 AND destination = d.number ORDER BY lane, place LIMIT 1
    ) q JOIN entries e ON e.id = q.id
  ) AS oldest, coalesce(l.hold, l.blocked) AS why
  FROM destinations d LEFT JOIN lanes l ON l.org = $1 AND l.destination = d.number AND l.lane = 'send'
  WHERE d.org = $1 AND d.removed_at IS NULL ORDER BY 1`

/** Of all accounts. In a transaction that sees one moment, as what follows. */
export function* wholeBacklog(): Statements<BacklogRow[]> {
  return [...(yield* all(queued)), ...(yield* all(excepted))].map(backlogRowOf)
}

/** Of one account; `totals` are the account's. */
export function* backlogOf(org: string, totals: readonly Total[]): Statements<Snapshot['backlog']> {
  const rest = (yield* all(groups, org)).map((row) => groupOf(row, org))
  const queues = (yield* all(waiting, org)).filter(({ oldest }) => oldest !== null)
  const long = (destination: Destination, count: number) =>
    count > tallyMax ? Math.max(count, waitingBy(totals, rest, destination)) : count
  const rows = queues.map((row) => backlogRowOf({ ...row, org }))
  return [...rows.map((one) => ({ ...one, count: long(one.destination, one.count) })), ...rest]
}

function backlogRowOf(row: Row): BacklogRow {
  return {
    org: row.org as string,
    destination: Number(row.destination),
    state: row.state as State,
    ...(row.why === null ? {} : { reason: row.why as string }),
    ...(row.lookup_reason ? { lookupReason: row.lookup_reason as string } : {}),
    count: Number(row.count),
    oldestReceivedAt: Number(row.oldest),
  }
}

/** Of a row of `groups`. */
function groupOf(row: Row, org: string): Snapshot['backlog'][number] {
  const why = row.state === 'asking' ? row.held : row.reason
  return { ...backlogRowOf({ ...row, org, why }), newestReceivedAt: Number(row.newest) }
}
