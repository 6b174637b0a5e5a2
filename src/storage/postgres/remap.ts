/** Giving other mappings to what waits, in PostgreSQL. */
import type { LaneKey } from '../ports/entry.ts'
import type { Remapped, Remapping } from '../ports/inbox.ts'
import type { Database } from './database.ts'

/** Entries of one call. */
const stepMax = 500

/** What is noted of it was noted by a sender. Of history.ts: the destination in two bytes, at every ninth. */
const isGiven = `EXISTS (SELECT 1 FROM learnt k WHERE k.id = e.id AND k.destination = $2) OR EXISTS (SELECT 1 FROM generate_series(0, length(e.history) / 9 - 1) n
  WHERE get_byte(e.history, 9 * n) * 256 + get_byte(e.history, 9 * n + 1) = $2)`

const these = {
  send: 'SELECT place AS at, id FROM queue WHERE org = $1 AND destination = $2 AND lane = 0 AND place > $3 ORDER BY place LIMIT $4',
  ask: `SELECT id AS at, id FROM exceptions WHERE org = $1 AND state = 'asking' AND destination IN (0, $2) AND id > $3 ORDER BY id LIMIT $4`,
}

/** The lane's row is locked meanwhile: a claim passes over it. */
export async function remap(db: Database, lane: LaneKey, { moves, after, destination }: Remapping): Promise<Remapped> {
  return db.transaction(async (session) => {
    if (lane.lane === 'send') {
      const sql = `SELECT lease_until FROM lanes WHERE org = $1 AND destination = $2 AND lane = 'send' FOR UPDATE`
      const row = await session.get(sql, lane.org, destination)
      if ((row?.lease_until ?? null) !== null) return { is: 'leased' }
    }
    const found = await session.get(
      `WITH these AS MATERIALIZED (${these[lane.lane]}), meant AS MATERIALIZED (
         SELECT e.id, m.becomes, (${isGiven}) AS given FROM these s JOIN entries e ON e.id = s.id
         JOIN unnest($5::integer[], $6::integer[]) AS m (was, becomes) ON m.was = e.mapping
       ), changed AS (
         UPDATE entries e SET mapping = m.becomes FROM meant m WHERE e.id = m.id AND NOT m.given RETURNING e.id
       )
       SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM meant WHERE given) AS given,
         (SELECT count(*) FROM these) AS looked, (SELECT max(at) FROM these) AS last`,
      lane.org,
      destination,
      after,
      stepMax,
      moves.map(({ from }) => from),
      moves.map(({ to }) => to),
    )
    const { changed, given, looked, last } = found!
    const goesOn = Number(looked) === stepMax ? { after: Number(last) } : {}
    return { is: 'done', changed: Number(changed), given: Number(given), ...goesOn }
  })
}
