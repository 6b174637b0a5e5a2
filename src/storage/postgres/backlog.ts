import { backlogRowOf, excepted, groupOf, groupsOf, queued } from '../backlog.ts'
import type { Destination } from '../ports/entry.ts'
import { type BacklogRow, type Snapshot, type Total, tallyMax } from '../ports/lookup.ts'
import { waitingBy } from '../waiting.ts'
import type { Session } from './database.ts'

export async function wholeBacklog(session: Session): Promise<BacklogRow[]> {
  return [await session.all(queued), await session.all(excepted)].flat().map(backlogRowOf)
}

/** A short queue is counted; of a long one the counts say how long it is. */
const waiting = `SELECT d.number AS destination, 'waiting' AS state, c.count, f.oldest, coalesce(l.hold, l.blocked) AS why
  FROM destinations d CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
      SELECT 1 FROM queue WHERE org = $1 AND destination = d.number LIMIT ${tallyMax + 1}
    ) s
  ) c CROSS JOIN LATERAL (
    SELECT e.received_at AS oldest FROM (
      SELECT id FROM queue WHERE org = $1 AND destination = d.number ORDER BY lane, place LIMIT 1
    ) q JOIN entries e ON e.id = q.id
  ) f LEFT JOIN lanes l ON l.org = $1 AND l.destination = d.number AND l.lane = 'send'
  WHERE d.org = $1 AND d.removed_at IS NULL ORDER BY 1`

/** What is there of one account and not delivered; `totals` are the account's. */
export async function backlogOf(session: Session, org: string, totals: readonly Total[]): Promise<Snapshot['backlog']> {
  const rest = (await session.all(groupsOf('$1'), org)).map((row) => groupOf(row, org))
  const queues = (await session.all(waiting, org)).map((row) => backlogRowOf({ ...row, org }))
  const long = (destination: Destination, count: number) =>
    count > tallyMax ? Math.max(count, waitingBy(totals, rest, destination)) : count
  return [...queues.map((one) => ({ ...one, count: long(one.destination, one.count) })), ...rest]
}
