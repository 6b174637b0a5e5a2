import { backlogRowOf, excepted, groupOf, groupsOf, queued } from '../backlog.ts'
import type { Destination } from '../ports/entry.ts'
import { type BacklogRow, type Snapshot, type Total, tallyMax } from '../ports/lookup.ts'
import { waitingBy } from '../waiting.ts'
import type { Database } from './database.ts'
import { destinationsOf } from './destinations.ts'

export function wholeBacklog(db: Database): BacklogRow[] {
  return [...db.all(queued), ...db.all(excepted)].map(backlogRowOf)
}

/** What is there of one account and not delivered; `totals` are the account's. */
export function backlogOf(db: Database, org: string, totals: readonly Total[]): Snapshot['backlog'] {
  const rest = db.all(groupsOf('?1'), org).map((row) => groupOf(row, org))
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
