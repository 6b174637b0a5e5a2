/** What became of a lease's entries, all of it in one transaction, if the lease is still its holder's. */
import { type Caution, cautionAfter } from '../careful.ts'
import type { Ending, Lane, Lease, Settlement, State, Woken } from '../ports.ts'
import { cautionOf } from '../rows.ts'
import { columns, tally } from './counts.ts'
import { type Database, type Prepared, prepared, type Session } from './database.ts'
import { takeBack } from './given.ts'
import { firstDue, heldBy, heldLease, laneOf, makeReady, settleLane } from './lanes.ts'
import { share, tryLock } from './locks.ts'

/** Resolves to whether the lease was held, and which other lane has woken up. */
export async function settle(
  db: Database,
  lease: Lease,
  settlements: readonly Settlement[],
  ending?: Ending,
): Promise<{ held: boolean; woke: Woken[] }> {
  const { org, lane } = lease
  const other = settlements.find(({ to }) => (laneOf(to) ?? lane) !== lane)
  const joins = settlements.some(({ to }) => to === 'waiting' || to === 'asking')
  const begin = async (session: Session) => {
    if (joins) await share(session, [org])
    const held = await session.get(holding, ...heldBy(lease))
    if (!held) return undefined
    const moved = await move(session, lane === 'send' ? 'waiting' : 'asking', org, settlements)
    const next = other && moved.has(other.id) ? laneOf(other.to)! : undefined
    const woke = next ? await makeReady(session, [{ org, lane: next, at: firstDueOf(settlements, moved, next) }]) : []
    if (ending) await end(session, lease, ending, cautionAfter(cautionOf(held), ending))
    return { moved, woke }
  }
  const settled = await db.transaction(begin, async (session, done) => {
    if (!done) return { held: false, woke: [] }
    await countSettled(session, org, settlements, done.moved)
    return { held: true, woke: done.woke }
  })
  const ids = settlements.map(({ id }) => id)
  if (settled.held) takeBack(lease, ids)
  return settled
}

const holding = prepared(`SELECT crashes, careful FROM lanes WHERE ${heldLease} FOR UPDATE`)

function firstDueOf(settlements: readonly Settlement[], moved: ReadonlyMap<number, string>, lane: Lane): number {
  const times = settlements
    .filter(({ id, to }) => moved.has(id) && laneOf(to) === lane)
    .map(({ dueAt, at }) => dueAt ?? at)
  return Math.min(...times)
}

/** Moves entries that are still in the state they were leased in; gives the types of those that were, by id. */
async function move(
  session: Session,
  from: State,
  org: string,
  settlements: readonly Settlement[],
): Promise<Map<number, string>> {
  if (settlements.length === 0) return new Map()
  const rows = settlements.map((settlement) => {
    const { to, at, dueAt, answer } = settlement
    const asking = to === 'asking'
    return {
      ...settlement,
      settledAt: to === 'waiting' || asking ? null : at,
      due: asking ? (dueAt ?? at) : null,
      failed: asking && from === 'asking' ? 1 : 0,
      status: answer?.status,
      batch: answer?.batch,
      tries: answer?.tries,
    }
  })
  const kept = rows.filter(({ to }) => to !== 'ignored')
  const dropped = rows.filter(({ to }) => to === 'ignored').map(({ id }) => id)
  const learnt = kept.filter(({ known }) => known !== undefined)
  const [moved, gone] = await Promise.all([
    kept.length > 0
      ? session.all(from === 'waiting' ? movingSent : movingAsked, org, ...columns(kept, movingColumns))
      : Promise.resolve([]),
    dropped.length > 0
      ? session.all(
          `DELETE FROM entries WHERE org = $1 AND id = ANY ($2) AND state = '${from}' RETURNING id, type`,
          org,
          dropped,
        )
      : Promise.resolve([]),
  ])
  const types = new Map([...moved, ...gone].map(({ id, type }) => [Number(id), type as string]))
  const known = learnt.filter(({ id }) => types.has(id))
  await Promise.all([
    gone.length > 0 &&
      session.run(
        'DELETE FROM bodies WHERE id = ANY ($1)',
        gone.map(({ id }) => id),
      ),
    known.length > 0 &&
      session.run(
        'UPDATE bodies b SET known = s.known FROM unnest($1::bigint[], $2::bytea[]) AS s (id, known) WHERE b.id = s.id',
        ...columns(known, ['id', 'known']),
      ),
  ])
  return types
}

const movingColumns = [
  'id',
  'to',
  'reason',
  'settledAt',
  'due',
  'failed',
  'contact',
  'conversation',
  'status',
  'batch',
  'tries',
] as const

function moving(from: State): Prepared {
  return prepared(`
WITH s AS MATERIALIZED (
  SELECT s.*, CASE WHEN state = 'waiting' THEN nextval('places') END AS place FROM (
    SELECT * FROM unnest(
      $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::integer[], $8::text[], $9::text[],
      $10::integer[], $11::integer[], $12::integer[]
    ) WITH ORDINALITY AS s (
      id, state, reason, settled_at, due_at, failed, contact, conversation, status, batch, tries, n
    ) ORDER BY n
  ) s
)
UPDATE entries e SET state = s.state, reason = s.reason, settled_at = s.settled_at, due_at = s.due_at,
  failures = e.failures + s.failed, contact = coalesce(s.contact, e.contact),
  conversation = coalesce(s.conversation, e.conversation),
  place = coalesce(s.place, e.place),
  status = s.status, batch = s.batch, tries = s.tries
FROM s WHERE e.id = s.id AND e.org = $1 AND e.state = '${from}' RETURNING e.id, e.type`)
}

const [movingSent, movingAsked] = [moving('waiting'), moving('asking')]

async function countSettled(
  session: Session,
  org: string,
  settlements: readonly Settlement[],
  types: ReadonlyMap<number, string>,
): Promise<void> {
  const counts = tally()
  for (const { id, to, at, reason } of settlements) {
    const type = types.get(id)
    if (type === undefined) continue
    if (to === 'ignored' || to === 'delivered') {
      const why = to === 'ignored' ? reason : ''
      counts.add(org, type, to, 1, why)
      counts.note(org, type, to, at, why)
    }
    if (to === 'dead' || to === 'quarantined') counts.note(org, type, 'aside', at)
  }
  await counts.write(session)
}

/** Gives the lease back. That nothing is in line is only said with the account's lock: else the next claim finds out. */
async function end(
  session: Session,
  { org, lane }: Lease,
  ending: Ending,
  { crashes, careful }: Caution,
): Promise<void> {
  const { readyAt, failures, trouble, tried, retryAfterAt } = ending
  const given = await session.get(
    givingBack[lane],
    org,
    readyAt,
    failures,
    trouble ?? null,
    tried?.at ?? null,
    tried?.setback ?? null,
    careful,
    crashes,
    retryAfterAt ?? null,
  )
  if (given?.empty === true && (await tryLock(session, org))) await settleLane(session, org, lane, readyAt)
}

function givingBackIn(lane: Lane): Prepared {
  return prepared(`
UPDATE lanes SET lease_until = NULL, crashes = $8, careful = $7, failures = $3, trouble = $4, retry_after_at = $9,
  asked = CASE WHEN $5::bigint IS NULL THEN asked ELSE 0 END, tried_at = coalesce($5, tried_at),
  setback = CASE WHEN $5::bigint IS NULL THEN setback ELSE $6 END, ready_at = coalesce(first.at, $2)
FROM (SELECT (${firstDue[lane]}) AS at) first
WHERE org = $1 AND lane = '${lane}' RETURNING first.at IS NULL AS empty`)
}

const givingBack: Record<Lane, Prepared> = { send: givingBackIn('send'), ask: givingBackIn('ask') }
