/** Giving other mappings to what waits, in PostgreSQL. */
import type { LaneKey } from '../ports/entry.ts'
import type { Remapped, Remapping } from '../ports/inbox.ts'
import { remapped } from '../resent.ts'
import { columns } from './counts.ts'
import type { Database } from './database.ts'

/** Entries of one call. */
const stepMax = 500

const waiting = {
  send: 'SELECT place AS at, id FROM queue WHERE org = $1 AND destination = $2 AND lane = 0 AND place > $3 ORDER BY place LIMIT $4',
  ask: `SELECT id AS at, id FROM exceptions
    WHERE org = $1 AND state = 'asking' AND destination IN (0, $2) AND id > $3 ORDER BY id LIMIT $4`,
}

/** The lane's row is locked meanwhile: a claim passes over it. */
export async function remap(db: Database, lane: LaneKey, { moves, after, destination }: Remapping): Promise<Remapped> {
  return db.transaction(async (session) => {
    if (lane.lane === 'send') {
      const sql = `SELECT lease_until FROM lanes WHERE org = $1 AND destination = $2 AND lane = 'send' FOR UPDATE`
      const row = await session.get(sql, lane.org, destination)
      if ((row?.lease_until ?? null) !== null) return { is: 'leased' }
    }
    const rows = await session.all(
      `SELECT w.at, e.id, e.mapping, e.history, e.resent,
         EXISTS (SELECT 1 FROM learnt k WHERE k.id = e.id AND k.destination = $2) AS noted
       FROM (${waiting[lane.lane]}) w JOIN entries e ON e.id = w.id ORDER BY w.at FOR UPDATE OF e`,
      lane.org,
      destination,
      after,
      stepMax,
    )
    let given = 0
    const changed = rows.flatMap(({ id, mapping, history, resent, noted }) => {
      const becomes = remapped({ mapping, history, resent, isNoted: noted === true }, { destination, moves })
      if (becomes === 'given') given++
      return becomes === undefined || becomes === 'given' ? [] : [{ id, mapping, resent, ...becomes }]
    })
    await session.run(
      `UPDATE entries e SET mapping = n.mapping, resent = n.resent
       FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS n (id, mapping, resent)
       WHERE e.id = ANY ($1::bigint[]) AND e.id = n.id`,
      ...columns(changed, ['id', 'mapping', 'resent']),
    )
    const last = rows.length === stepMax ? { after: Number(rows.at(-1)!.at) } : {}
    return { is: 'done', changed: changed.length, given, ...last }
  })
}
