/**
 * Rows whose ids are known, read by these alone. PostgreSQL keeps the plan of a function's statement, and may have made it
 * while a table was nearly empty: then an index of all rows of an account looks as good as one of the row. `OFFSET 0` lets it
 * look at a part by itself, and not turn it round.
 */

/** To be joined behind whatever says the id: the rows of a table that has one row, or a few, for each. */
export const byId = (table: string, id: string) => `LATERAL (SELECT * FROM ${table} WHERE id = ${id} OFFSET 0)`

/** Of an account's destinations: all, those that were removed too. */
export const destinationsOf = (org: string) => `(SELECT number FROM destinations WHERE org = ${org} OFFSET 0)`

/** Joined behind whatever says the three: where the entry stands in that destination's queue, as `q`. */
export const inQueue = (org: string, destination: string, id: string) => `CROSS JOIN LATERAL (
  SELECT coalesce((
    SELECT y.place FROM exceptions y WHERE y.id = ${id} AND y.destination = ${destination} AND y.state = 'waiting'
  ), ${id}) AS place OFFSET 0
) p CROSS JOIN generate_series(0, 1) AS n (lane) CROSS JOIN LATERAL (
  SELECT q.ctid FROM queue q WHERE q.org = ${org} AND q.destination = ${destination} AND q.lane = n.lane AND q.place = p.place
    AND q.id = ${id} OFFSET 0
) q`
