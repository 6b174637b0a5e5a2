/** What is there now and not delivered, by state and reason: the statements and rows of both engines. */
import type { State } from './ports/entry.ts'
import type { BacklogRow, Snapshot } from './ports/lookup.ts'

/** What waits, counted in the queue alone: a backlog of a million takes some ten milliseconds. */
export const queued = `SELECT c.org, c.destination, 'waiting' AS state, coalesce(l.hold, l.blocked) AS why, c.count, (
    SELECT e.received_at FROM queue q JOIN entries e ON e.id = q.id WHERE q.org = c.org AND q.destination = c.destination
    ORDER BY q.lane, q.place LIMIT 1
  ) AS oldest
  FROM (SELECT org, destination, count(*) AS count FROM queue GROUP BY org, destination) c
  LEFT JOIN lanes l ON l.org = c.org AND l.destination = c.destination AND l.lane = 'send' ORDER BY 1, 2`

export const excepted = `SELECT x.org, x.destination, x.state,
    CASE x.state WHEN 'asking' THEN coalesce(l.hold, l.blocked) ELSE x.reason END AS why,
    count(*) AS count, min(x.received_at) AS oldest
  FROM exceptions x LEFT JOIN lanes l ON l.org = x.org AND l.destination = 0 AND l.lane = 'ask'
  WHERE x.state <> 'waiting' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

/**
 * Groups of an account's exceptions, by the index that lists them; of each the ones that were kept first and last. `org`:
 * the statement's first value, as the engine writes it.
 */
export const groupsOf = (org: '?1' | '$1') => `SELECT g.*, coalesce(l.hold, l.blocked) AS held,
    (SELECT received_at FROM exceptions WHERE id = g.first AND destination = g.destination) AS oldest,
    (SELECT received_at FROM exceptions WHERE id = g.last AND destination = g.destination) AS newest
  FROM (
    SELECT destination, state, CASE state WHEN 'asking' THEN NULL ELSE reason END AS reason,
      count(*) AS count, min(id) AS first, max(id) AS last
    FROM exceptions WHERE org = ${org} AND state IN ('asking', 'dead', 'quarantined', 'unclaimed') GROUP BY 1, 2, 3
  ) g LEFT JOIN lanes l ON g.state = 'asking' AND l.org = ${org} AND l.destination = 0 AND l.lane = 'ask' ORDER BY 1, 2, 3`

type Row = Readonly<Record<string, unknown>>

export function backlogRowOf(row: Row): BacklogRow {
  return {
    org: row.org as string,
    destination: Number(row.destination),
    state: row.state as State,
    ...(row.why === null ? {} : { reason: row.why as string }),
    count: Number(row.count),
    oldestReceivedAt: Number(row.oldest),
  }
}

/** Of a row of `groupsOf`. */
export function groupOf(row: Row, org: string): Snapshot['backlog'][number] {
  const why = row.state === 'asking' ? row.held : row.reason
  return { ...backlogRowOf({ ...row, org, why }), newestReceivedAt: Number(row.newest) }
}
