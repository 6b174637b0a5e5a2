/** Giving other mappings to what waits, in SQLite. */
import type { LaneKey } from '../ports/entry.ts'
import type { Remapped, Remapping } from '../ports/inbox.ts'
import { remapped } from '../resent.ts'
import type { Database } from './database.ts'
import { keyOf, thisLane } from './lanes.ts'

/** Entries of one call: a few milliseconds, in which webhooks wait for their answer. */
const stepMax = 500

export function remap(db: Database, lane: LaneKey, { moves, after, destination }: Remapping): Remapped {
  const isSend = lane.lane === 'send'
  // mutant: changes what a sender has in hand
  if (isSend && isLeased(db, lane)) return { is: 'leased' }
  const waiting = isSend
    ? 'SELECT place AS at, id FROM queue WHERE org = ?1 AND destination = ?2 AND lane = 0 AND place > ?3 ORDER BY place LIMIT ?4'
    : `SELECT id AS at, id FROM exceptions
       WHERE org = ?1 AND state = 'asking' AND destination IN (0, ?2) AND id > ?3 ORDER BY id LIMIT ?4`
  const rows = db.all(
    `SELECT w.at, e.id, e.mapping, e.history, e.resent FROM (${waiting}) w JOIN entries e ON e.id = w.id ORDER BY w.at`,
    lane.org,
    destination,
    after,
    stepMax,
  )
  let changed = 0
  let given = 0
  for (const { id, mapping, history, resent } of rows) {
    const noted = db.get('SELECT 1 FROM learnt WHERE id = ? AND destination = ?', id!, destination)
    const becomes = remapped({ mapping, history, resent, isNoted: noted !== undefined }, { destination, moves })
    if (becomes === 'given') given++
    else if (becomes && 'mapping' in becomes)
      changed += db.run('UPDATE entries SET mapping = ? WHERE id = ?', becomes.mapping, id!)
    else if (becomes) changed += db.run('UPDATE entries SET resent = ? WHERE id = ?', becomes.resent, id!)
  }
  const last = rows.length === stepMax ? { after: Number(rows.at(-1)!.at) } : {}
  return { is: 'done', changed, given, ...last }
}

function isLeased(db: Database, lane: LaneKey): boolean {
  const row = db.get(`SELECT lease_until FROM lanes WHERE ${thisLane}`, ...keyOf(lane))
  return (row?.lease_until ?? null) !== null
}
