/** An account's figures as of one moment: a few counts over indexes, and some of the newest rows. */
import { wasDelivered } from '../history.ts'
import type { Destination, Org } from '../ports/entry.ts'
import type { Moment, Open, Period, Snapshot, Total } from '../ports/lookup.ts'
import { countedOf } from '../rows.ts'
import type { Database } from './database.ts'
import { destinationsOf } from './destinations.ts'
import { standingsOf } from './standings.ts'

/** Rows that are looked at for the latest deliveries, at each of two places. */
const looksMax = 1_000

export function snapshot(db: Database, org: Org, { from, to }: Period): Snapshot {
  const [first, end] = [firstSince(db, org, from), firstSince(db, org, to)]
  const last = db.get('SELECT received_at AS at FROM entries WHERE org = ? ORDER BY id DESC LIMIT 1', org)
  const deliveries = deliveriesIn(db, org, first, end)
  const lastDeliveredAt = Math.max(...deliveriesIn(db, org, 0, endOfAll).map(({ settledAt }) => settledAt))
  return {
    destinations: destinationsOf(db, org),
    totals: db
      .all('SELECT org, destination, type, outcome, reason, count FROM counts WHERE org = ? AND count <> 0', org)
      .map(countedOf<Total>),
    standings: standingsOf(db, org),
    moments: db
      .all(
        `SELECT at, destination, type, outcome, reason, count FROM moments WHERE org = ? AND at >= ? AND at < ? ORDER BY at`,
        org,
        from,
        to,
      )
      .map(countedOf<Moment>),
    open: [
      ...destinationsOf(db, org).flatMap((each) => waitingIn(db, org, each, first, end)),
      ...exceptedIn(db, org, first, end),
    ],
    deliveries,
    ...(last ? { lastReceivedAt: Number(last.at) } : {}),
    ...(Number.isFinite(lastDeliveredAt) ? { lastDeliveredAt } : {}),
  }
}

const endOfAll = Number.MAX_SAFE_INTEGER

/** The first id that was received at this time or later; ids are nearly in the order of receipt. */
function firstSince(db: Database, org: Org, at: number): number {
  const newest = db.get('SELECT id, received_at FROM entries WHERE org = ? ORDER BY id DESC LIMIT 1', org)
  if (!newest || Number(newest.received_at) < at) return endOfAll
  let [low, high] = [0, Number(newest.id)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const row = db.get(
      'SELECT id, received_at FROM entries WHERE org = ? AND id >= ? ORDER BY id LIMIT 1',
      org,
      middle,
    )!
    if (Number(row.received_at) >= at) high = middle
    else low = Number(row.id) + 1
  }
  return low
}

/** What came back lies at a later place than its id, and among the exceptions. */
function waitingIn(db: Database, org: Org, destination: Destination, first: number, end: number): Open[] {
  const count = (sql: string, ...values: number[]) => Number(db.get(sql, org, destination, ...values)!.count)
  const queued = count(
    'SELECT count(*) AS count FROM queue WHERE org = ? AND destination = ? AND lane = 0 AND place >= ? AND place < ?',
    first,
    end,
  )
  const back = `SELECT count(*) AS count FROM exceptions WHERE org = ?1 AND destination = ?2 AND state = 'waiting'`
  const ahead = count(`${back} AND place >= ?3 AND place < ?4 AND NOT (id >= ?3 AND id < ?4)`, first, end)
  const behind = count(`${back} AND id >= ?3 AND id < ?4 AND NOT (place >= ?3 AND place < ?4)`, first, end)
  const waiting = queued - ahead + behind
  return waiting === 0 ? [] : [{ destination, state: 'waiting', count: waiting }]
}

function exceptedIn(db: Database, org: Org, first: number, end: number): Open[] {
  return db
    .all(
      `SELECT destination, state, reason, count(*) AS count FROM exceptions
       WHERE org = ? AND state IN ('asking', 'unclaimed', 'quarantined', 'dead') AND id >= ? AND id < ?
       GROUP BY destination, state, reason ORDER BY destination, state, reason`,
      org,
      first,
      end,
    )
    .map(({ reason, ...row }) => ({ ...row, ...(reason === null ? {} : { reason }), count: Number(row.count) }) as Open)
}

/** Among the newest events, and among those that lie before the first that waits: behind that one there may be a million. */
function deliveriesIn(db: Database, org: Org, first: number, end: number): Snapshot['deliveries'] {
  const heads = destinationsOf(db, org).flatMap((destination) => {
    const sql = 'SELECT place FROM queue WHERE org = ? AND destination = ? AND lane = 0 ORDER BY place LIMIT 1'
    return Number(db.get(sql, org, destination)?.place ?? endOfAll)
  })
  const found = new Map<number, Snapshot['deliveries'][number]>()
  for (const below of new Set([end, Math.min(end, ...heads)]))
    for (const row of db.all(
      `SELECT e.id, e.received_at, e.settled_at, e.history FROM (
         SELECT id, received_at, settled_at, history FROM entries WHERE org = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?
       ) e WHERE e.settled_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM exceptions WHERE id = e.id)`,
      org,
      first,
      below,
      looksMax,
    ))
      if (wasDelivered(row.history as Uint8Array | null))
        found.set(Number(row.id), { receivedAt: Number(row.received_at), settledAt: Number(row.settled_at) })
  return [...found.values()]
}
