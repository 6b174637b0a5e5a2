/** An account's figures as of one moment: a few counts over indexes, and some of the newest rows. */
import type { Destination, Org } from '../ports/entry.ts'
import {
  type BacklogRow,
  type Delivery,
  type Open,
  type Period,
  type Snapshot,
  type TimeBucket,
  type Total,
  tallyMax,
} from '../ports/lookup.ts'
import { countedOf, deliveredBy, deliveriesOf, lastOf } from '../rows.ts'
import { backlogOf } from './backlog.ts'
import type { Database } from './database.ts'
import { destinationsOf } from './destinations.ts'
import { firstSince } from './ids-at.ts'

/** Rows that are looked at for the latest deliveries, at all places together. */
const looksMax = 2_000

export function snapshot(db: Database, org: Org, { from, to }: Period): Snapshot {
  const [first, end] = [firstSince(db, org, from), firstSince(db, org, to)]
  const last = db.get('SELECT received_at AS at FROM entries WHERE org = ? ORDER BY id DESC LIMIT 1', org)
  const totals = db
    .all('SELECT org, destination, type, outcome, reason, count FROM counts WHERE org = ? AND count <> 0', org)
    .map(countedOf<Total>)
  const backlog = backlogOf(db, org, totals)
  return {
    destinations: destinationsOf(db, org),
    totals,
    backlog,
    timeBuckets: db
      .all(
        `SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = ? AND at >= ? AND at < ? ORDER BY at`,
        org,
        from,
        to,
      )
      .map(countedOf<TimeBucket>),
    open: [
      ...backlog.flatMap((one) => (one.state === 'waiting' ? waitingIn(db, one, first, end) : [])),
      ...exceptedIn(db, org, first, end),
    ],
    deliveries: deliveriesIn(db, org, first, end),
    ...(last ? { lastReceivedAt: Number(last.at) } : {}),
    lastDelivered: lastOf(deliveriesIn(db, org, 0, endOfAll)),
    began: beginningsOf(db, org),
  }
}

const endOfAll = Number.MAX_SAFE_INTEGER

/** Of what waits at a destination: those of these ids. Of many, those that are not of them may be the fewer. */
function waitingIn(db: Database, { org, destination, count }: BacklogRow, first: number, end: number): Open[] {
  const inside = waitingBetween(db, org, destination, first, end)
  if (inside === 0) return []
  if (inside <= tallyMax) return [{ destination, state: 'waiting', count: inside }]
  const others = waitingBetween(db, org, destination, 0, first) + waitingBetween(db, org, destination, end, endOfAll)
  if (others <= tallyMax) return [{ destination, state: 'waiting', count: count - others }]
  return [{ destination, state: 'waiting', count: inside, isCut: true }]
}

/** What came back lies at a later place than its id, and among the exceptions. More than `tallyMax` are not counted. */
function waitingBetween(db: Database, org: Org, destination: Destination, first: number, end: number): number {
  const of = [org, destination, first, end] as const
  const queued = `SELECT 1 FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place >= ? AND place < ? AND place = id`
  const back = `SELECT 1 FROM exceptions WHERE org = ? AND state = 'waiting' AND destination = ? AND id >= ? AND id < ?`
  const counted = [queued, back].map((sql) =>
    Number(db.get(`SELECT count(*) AS count FROM (${sql} LIMIT ${tallyMax + 1})`, ...of)!.count),
  )
  return counted[0]! + counted[1]!
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

/** Among the newest events, and among those that lie before the first that waits for a destination: behind that one there may be a million. */
function deliveriesIn(db: Database, org: Org, first: number, end: number): Snapshot['deliveries'] {
  const heads = destinationsOf(db, org).map((destination) => {
    const sql = 'SELECT place FROM queue WHERE org = ? AND destination = ? AND lane = 0 ORDER BY place LIMIT 1'
    return Math.min(end, Number(db.get(sql, org, destination)?.place ?? endOfAll))
  })
  const found = new Map<string, Delivery>()
  const places = new Set([end, ...heads])
  for (const below of places) {
    const rows = db.all(
      `SELECT id, received_at, settled_at, history FROM entries WHERE org = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
      org,
      first,
      below,
      Math.ceil(looksMax / Math.max(places.size, 2)),
    )
    const ids = JSON.stringify(deliveredBy(rows))
    const attempts = db.all('SELECT id, at, ms FROM attempts WHERE id IN (SELECT value FROM json_each(?))', ids)
    for (const [name, delivery] of deliveriesOf(rows, attempts)) found.set(name, delivery)
  }
  return [...found.values()]
}

/** By the first event that each was meant for. */
function beginningsOf(db: Database, org: Org): Snapshot['began'] {
  return db
    .all(
      `SELECT number AS destination, (
         SELECT received_at FROM entries WHERE org = d.org AND id > d.since ORDER BY id LIMIT 1
       ) AS at FROM destinations d WHERE org = ? AND removed_at IS NULL ORDER BY number`,
      org,
    )
    .flatMap(({ destination, at }) => (at === null ? [] : [{ destination: Number(destination), at: Number(at) }]))
}
