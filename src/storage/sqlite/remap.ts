/** Giving other mappings to what waits, in SQLite. */
import { wasTried } from '../history.ts'
import type { LaneKey } from '../ports/entry.ts'
import type { Remapped, Remapping } from '../ports/inbox.ts'
import { choiceAt, chosen } from '../resent.ts'
import type { Database } from './database.ts'
import { keyOf, thisLane } from './lanes.ts'

/** Entries of one call: a few milliseconds, in which webhooks wait for their answer. */
const stepMax = 500

export function remap(db: Database, lane: LaneKey, { moves, after, destination }: Remapping): Remapped {
  const isSend = lane.lane === 'send'
  // mutant: changes what a sender has in hand
  if (isSend && isLeased(db, lane)) return { is: 'leased' }
  const rows = isSend
    ? db.all(
        `SELECT q.place AS at, e.id, e.mapping, e.history, e.resent FROM (
           SELECT * FROM queue WHERE org = ? AND destination = ? AND lane = 0 AND place > ? ORDER BY place LIMIT ?
         ) q JOIN entries e ON e.id = q.id ORDER BY q.place`,
        lane.org,
        destination,
        after,
        stepMax,
      )
    : db.all(
        `SELECT e.id AS at, e.id, e.mapping, e.history, e.resent FROM (
           SELECT id FROM exceptions WHERE org = ? AND state = 'asking' AND destination IN (0, ?) AND id > ? ORDER BY id LIMIT ?
         ) x JOIN entries e ON e.id = x.id ORDER BY e.id`,
        lane.org,
        destination,
        after,
        stepMax,
      )
  let changed = 0
  let given = 0
  for (const { id, mapping, history, resent } of rows) {
    // What was chosen when it was sent again comes before its own.
    const own = choiceAt(resent, destination).mapping
    const to = moves.find(({ from }) => from === (own ?? mapping))?.to
    if (to === undefined) continue
    const isNoted = db.get('SELECT 1 FROM learnt WHERE id = ? AND destination = ?', id as number, destination)
    const past = history as Uint8Array | null
    // mutant: takes what was only sent again for what a sender has had
    const isTried = wasTried(past, destination)
    if (isNoted || isTried) given++
    else if (own === undefined) changed += db.run('UPDATE entries SET mapping = ? WHERE id = ?', to, id as number)
    else {
      const choice = chosen({ mapping, resent }, destination, { mapping: to })
      changed += db.run('UPDATE entries SET resent = ? WHERE id = ?', choice, id as number)
    }
  }
  const last = rows.length === stepMax ? { after: Number(rows.at(-1)!.at) } : {}
  return { is: 'done', changed, given, ...last }
}

function isLeased(db: Database, lane: LaneKey): boolean {
  const row = db.get(`SELECT lease_until FROM lanes WHERE ${thisLane}`, ...keyOf(lane))
  return (row?.lease_until ?? null) !== null
}
