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
import type { Session } from './database.ts'
import { firstSince } from './ids-at.ts'

/** Rows that are looked at for the latest deliveries, at all places together. */
const looksMax = 2_000

/** In a transaction that sees one moment. */
export async function snapshot(session: Session, org: Org, { from, to }: Period): Promise<Snapshot> {
  const first = await firstSince(session, org, from)
  const end = await firstSince(session, org, to)
  const heads = await headsOf(session, org)
  const last = await session.get('SELECT received_at AS at FROM entries WHERE org = $1 ORDER BY id DESC LIMIT 1', org)
  const counts = await session.all(
    'SELECT org, destination, type, outcome, reason, count FROM counts WHERE org = $1 AND count <> 0',
    org,
  )
  const totals = counts.map(countedOf<Total>)
  const backlog = await backlogOf(session, org, totals)
  const timeBuckets = await session.all(
    `SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = $1 AND at >= $2 AND at < $3 ORDER BY at`,
    org,
    from,
    to,
  )
  const waiting: Open[] = []
  for (const one of backlog) if (one.state === 'waiting') waiting.push(...(await waitingIn(session, one, first, end)))
  return {
    destinations: [...heads.keys()],
    totals,
    backlog,
    timeBuckets: timeBuckets.map(countedOf<TimeBucket>),
    open: [...waiting, ...(await exceptedIn(session, org, first, end))],
    deliveries: await deliveriesIn(session, org, heads, first, end),
    ...(last ? { lastReceivedAt: Number(last.at) } : {}),
    lastDelivered: lastOf(await deliveriesIn(session, org, heads, 0, endOfAll)),
    began: await beginningsOf(session, org),
  }
}

const endOfAll = Number.MAX_SAFE_INTEGER

/** The destinations, each with the first place of its queue. */
async function headsOf(session: Session, org: Org): Promise<Map<Destination, number>> {
  const rows = await session.all(
    `SELECT number, (
       SELECT place FROM queue q WHERE q.org = d.org AND q.destination = d.number AND q.lane = 0 ORDER BY place LIMIT 1
     ) AS head FROM destinations d WHERE org = $1 AND removed_at IS NULL ORDER BY number`,
    org,
  )
  return new Map(rows.map(({ number, head }) => [Number(number), head === null ? endOfAll : Number(head)]))
}

/** Of what waits at a destination: those of these ids. Of many, those that are not of them may be the fewer. */
async function waitingIn(
  session: Session,
  { org, destination, count }: BacklogRow,
  first: number,
  end: number,
): Promise<Open[]> {
  const between = (from: number, below: number) => waitingBetween(session, org, destination, from, below)
  const inside = await between(first, end)
  if (inside === 0) return []
  if (inside <= tallyMax) return [{ destination, state: 'waiting', count: inside }]
  const others = (await between(0, first)) + (await between(end, endOfAll))
  if (others <= tallyMax) return [{ destination, state: 'waiting', count: count - others }]
  return [{ destination, state: 'waiting', count: inside, isCut: true }]
}

/** What came back lies at a later place than its id, and among the exceptions. More than `tallyMax` are not counted. */
async function waitingBetween(
  session: Session,
  org: Org,
  destination: Destination,
  first: number,
  end: number,
): Promise<number> {
  const many = (sql: string) => `(SELECT count(*) FROM (${sql} LIMIT ${tallyMax + 1}) s)`
  const queued = (lane: 0 | 1) =>
    many(
      `SELECT 1 FROM queue WHERE org = $1 AND destination = $2 AND lane = ${lane} AND place >= $3 AND place < $4 AND place = id`,
    )
  const back = many(
    `SELECT 1 FROM exceptions WHERE org = $1 AND state = 'waiting' AND destination = $2 AND id >= $3 AND id < $4`,
  )
  const row = await session.get(`SELECT ${queued(0)} + ${queued(1)} + ${back} AS count`, org, destination, first, end)
  return Number(row!.count)
}

async function exceptedIn(session: Session, org: Org, first: number, end: number): Promise<Open[]> {
  const rows = await session.all(
    `SELECT destination, state, reason, count(*) AS count FROM exceptions
     WHERE org = $1 AND state IN ('asking', 'unclaimed', 'quarantined', 'dead') AND id >= $2 AND id < $3
     GROUP BY destination, state, reason ORDER BY destination, state, reason`,
    org,
    first,
    end,
  )
  return rows.map(({ destination, state, reason, count }) => ({
    destination: Number(destination),
    state: state as Open['state'],
    ...(reason === null ? {} : { reason: reason as string }),
    count: Number(count),
  }))
}

/** Among the newest events, and among those that lie before the first that waits for a destination: behind that one there may be a million. */
async function deliveriesIn(
  session: Session,
  org: Org,
  heads: ReadonlyMap<Destination, number>,
  first: number,
  end: number,
): Promise<Snapshot['deliveries']> {
  const found = new Map<string, Delivery>()
  const places = new Set([end, ...[...heads.values()].map((head) => Math.min(end, head))])
  for (const below of places) {
    const rows = await session.all(
      `SELECT id, received_at, settled_at, history FROM entries WHERE org = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4`,
      org,
      first,
      below,
      Math.ceil(looksMax / Math.max(places.size, 2)),
    )
    const ids = [...new Set(deliveredBy(rows))]
    const attempts =
      ids.length === 0 ? [] : await session.all('SELECT id, at, ms FROM attempts WHERE id = ANY ($1)', ids)
    for (const [name, delivery] of deliveriesOf(rows, attempts)) found.set(name, delivery)
  }
  return [...found.values()]
}

/** By the first event that each was meant for. */
async function beginningsOf(session: Session, org: Org): Promise<Snapshot['began']> {
  const rows = await session.all(
    `SELECT number, (
       SELECT received_at FROM entries WHERE org = d.org AND id > d.since ORDER BY id LIMIT 1
     ) AS at FROM destinations d WHERE org = $1 AND removed_at IS NULL ORDER BY number`,
    org,
  )
  return rows.flatMap(({ number, at }) => (at === null ? [] : [{ destination: Number(number), at: Number(at) }]))
}
