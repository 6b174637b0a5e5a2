/** An account's figures as of one moment: a few counts over indexes, and some of the newest rows. */
import { backlogOf } from './backlog.ts'
import { deliveriesIn, firstDeliveriesIn } from './history.ts'
import type { Destination, Org } from './ports/entry.ts'
import {
  type BacklogRow,
  type Open,
  type Period,
  type Snapshot,
  type TimeBucket,
  type Total,
  tallyMax,
} from './ports/lookup.ts'
import { countedOf, deliveredBy, deliveriesOf, lastOf } from './rows.ts'
import { all, get, own, type Row, type Statements } from './statements.ts'

/** Rows that are looked at for the latest deliveries, at all places together. */
const looksMax = 2_000
const endOfAll = Number.MAX_SAFE_INTEGER

/** Ids: `first` included, `end` not. */
interface Between {
  first: number
  end: number
}

export function* snapshot(org: Org, { from, to }: Period): Statements<Snapshot> {
  const between = { first: yield* firstSince(org, from), end: yield* firstSince(org, to) }
  const heads = yield* headsOf(org)
  const last = yield* get('SELECT id, received_at AS at FROM entries WHERE org = $1 ORDER BY id DESC LIMIT 1', org)
  const counted = 'SELECT org, destination, type, outcome, reason, count FROM counts WHERE org = $1 AND count <> 0'
  const totals = (yield* all(counted, org)).map(countedOf<Total>)
  const backlog = yield* backlogOf(org, totals)
  const timeBuckets = yield* all(
    'SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = $1 AND at >= $2 AND at < $3 ORDER BY at',
    org,
    from,
    to,
  )
  const newest = yield* newestIn(org, heads, { first: 0, end: endOfAll })
  // Of a time that reaches to the last one, the newest of all are the newest.
  const reachesToLast = between.end > Number(last?.id ?? 0)
  const inside = reachesToLast
    ? newest.filter(({ id }) => Number(id) >= between.first)
    : yield* newestIn(org, heads, between)
  const attempts = yield* attemptsOf([...newest, ...inside])
  const waiting: Open[] = []
  for (const one of backlog) if (one.state === 'waiting') waiting.push(...(yield* waitingIn(one, between)))
  return {
    destinations: [...heads.keys()],
    totals,
    backlog,
    timeBuckets: timeBuckets.map(countedOf<TimeBucket>),
    open: [...waiting, ...(yield* exceptedIn(org, between))],
    deliveries: deliveriesOf(inside, attempts, firstDeliveriesIn),
    ...(last ? { lastReceivedAt: Number(last.at) } : {}),
    lastDelivered: lastOf(deliveriesOf(newest, attempts, deliveriesIn)),
    began: yield* beginningsOf(org),
  }
}

/** An account's first id that was received at this time or later; behind its last one where none was. */
function* firstSince(org: Org, time: number): Statements<number> {
  const { first, below } = yield* own('idsAt', org, time)
  const sql = 'SELECT min(id) AS id FROM entries WHERE org = $1 AND id >= $2 AND id < $3 AND received_at >= $4'
  return Number((yield* get(sql, org, first, below, time))!.id ?? below)
}

/** The destinations, each with the first place of its queue. */
function* headsOf(org: Org): Statements<Map<Destination, number>> {
  const rows = yield* all(
    `SELECT number, (
       SELECT place FROM queue q WHERE q.org = d.org AND q.destination = d.number AND q.lane = 0 ORDER BY place LIMIT 1
     ) AS head FROM destinations d WHERE org = $1 AND removed_at IS NULL ORDER BY number`,
    org,
  )
  return new Map(rows.map(({ number, head }) => [Number(number), head === null ? endOfAll : Number(head)]))
}

/** Of what waits at a destination: those of these ids. Of many, those that are not of them may be the fewer. */
function* waitingIn(one: BacklogRow, { first, end }: Between): Statements<Open[]> {
  const { destination } = one
  const inside = yield* waitingBetween(one, { first, end })
  if (inside === 0) return []
  if (inside <= tallyMax) return [{ destination, state: 'waiting', count: inside }]
  const before = yield* waitingBetween(one, { first: 0, end: first })
  const others = before + (yield* waitingBetween(one, { first: end, end: endOfAll }))
  if (others <= tallyMax) return [{ destination, state: 'waiting', count: one.count - others }]
  return [{ destination, state: 'waiting', count: inside, isCut: true }]
}

/** What came back lies at a later place than its id, and among the exceptions. More than `tallyMax` are not counted. */
function* waitingBetween({ org, destination }: BacklogRow, { first, end }: Between): Statements<number> {
  const many = (sql: string) => `(SELECT count(*) FROM (${sql} LIMIT ${tallyMax + 1}) s)`
  const queued = (lane: 0 | 1) =>
    many(
      `SELECT 1 FROM queue WHERE org = $1 AND destination = $2 AND lane = ${lane} AND place >= $3 AND place < $4 AND place = id`,
    )
  const back = many(
    `SELECT 1 FROM exceptions WHERE org = $1 AND state = 'waiting' AND destination = $2 AND id >= $3 AND id < $4`,
  )
  const row = yield* get(`SELECT ${queued(0)} + ${queued(1)} + ${back} AS count`, org, destination, first, end)
  return Number(row!.count)
}

function* exceptedIn(org: Org, { first, end }: Between): Statements<Open[]> {
  const rows = yield* all(
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

/**
 * The newest events, and those that lie before the first that waits for a destination: behind that one there may be a
 * million. Among them are the latest deliveries.
 */
function* newestIn(org: Org, heads: ReadonlyMap<Destination, number>, { first, end }: Between): Statements<Row[]> {
  const found = new Map<unknown, Row>()
  const places = new Set([end, ...[...heads.values()].map((head) => Math.min(end, head))])
  for (const below of places) {
    const rows = yield* all(
      'SELECT id, received_at, settled_at, history FROM entries WHERE org = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4',
      org,
      first,
      below,
      Math.ceil(looksMax / Math.max(places.size, 2)),
    )
    for (const row of rows) found.set(row.id, row)
  }
  return [...found.values()]
}

/** Those by which these entries were delivered. */
function* attemptsOf(rows: readonly Row[]): Statements<readonly Row[]> {
  const ids = [...new Set(deliveredBy(rows))]
  return ids.length > 0 ? yield* all('SELECT id, at, ms FROM attempts WHERE id = ANY ($1)', ids) : []
}

/** By the first event that each was meant for. */
function* beginningsOf(org: Org): Statements<Snapshot['began']> {
  const rows = yield* all(
    `SELECT number, (
       SELECT received_at FROM entries WHERE org = d.org AND id > d.since ORDER BY id LIMIT 1
     ) AS at FROM destinations d WHERE org = $1 AND removed_at IS NULL ORDER BY number`,
    org,
  )
  return rows.flatMap(({ number, at }) => (at === null ? [] : [{ destination: Number(number), at: Number(at) }]))
}
