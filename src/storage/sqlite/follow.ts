/** Many lanes at once made as they should be, in SQLite. */
import { lanes as lanesOfBoth } from '../lanes.ts'
import type { Following } from '../ports/inbox.ts'
import type { Database } from './database.ts'
import { carriedOut } from './statements.ts'

export function follow(db: Database, lanes: readonly Following[], now: number): void {
  const rows = db.all('SELECT org, destination, lane, hold, blocked, failures, ready_at FROM lanes')
  const named = ({ org, destination, lane }: Record<string, unknown>) => `${lane} ${destination} ${org}`
  const there = new Map(rows.map((row) => [named(row), row]))
  for (const { is, ...key } of lanes) {
    const row = there.get(named(key))
    if (is === 'resumed') {
      if (row && !isGoing(row, now)) carriedOut(db, lanesOfBoth.resume(key, now))
    } else if ((row?.hold ?? null) !== (is.held ?? null)) carriedOut(db, lanesOfBoth.hold(key, is.held))
  }
}

/** Nothing keeps it, and something is due: when it is claimed, it is seen whether anything is there. */
function isGoing({ hold, blocked, failures, ready_at }: Record<string, unknown>, now: number): boolean {
  return hold === null && blocked === null && failures === 0 && ready_at !== null && Number(ready_at) <= now
}
