/** Giving other mappings to what waits, in PostgreSQL. */
import { resentByte } from '../history.ts'
import type { LaneKey } from '../ports/entry.ts'
import type { Remapped, Remapping } from '../ports/inbox.ts'
import type { Database } from './database.ts'

/** Entries of one call. */
const stepMax = 500

/** What is noted of it was noted by a sender. Of history.ts: the destination in two bytes, at every ninth, then the outcome. */
const isGiven = `EXISTS (SELECT 1 FROM learnt k WHERE k.id = e.id AND k.destination = $2) OR EXISTS (SELECT 1 FROM generate_series(0, length(e.history) / 9 - 1) n
  WHERE get_byte(e.history, 9 * n) * 256 + get_byte(e.history, 9 * n + 1) = $2 AND get_byte(e.history, 9 * n + 2) <> ${resentByte})`

/** Chosen when it was sent again there; it comes before its own. */
const chosen = `(e.resent::jsonb -> $2::integer::text ->> 'mapping')::integer`

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
         SELECT e.id, m.becomes, (${isGiven}) AS given, ${chosen} IS NOT NULL AS chosen
         FROM these s JOIN entries e ON e.id = s.id
         JOIN unnest($5::integer[], $6::integer[]) AS m (was, becomes) ON m.was = coalesce(${chosen}, e.mapping)
       ), changed AS (
         UPDATE entries e SET mapping = CASE WHEN m.chosen THEN e.mapping ELSE m.becomes END,
           resent = CASE WHEN NOT m.chosen THEN e.resent
             ELSE jsonb_set(e.resent::jsonb, ARRAY[$2::integer::text, 'mapping'], to_jsonb(m.becomes))::text END
         FROM meant m WHERE e.id = m.id AND NOT m.given RETURNING e.id
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
