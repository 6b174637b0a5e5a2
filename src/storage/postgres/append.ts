/** Keeping webhooks: one transaction for a whole group. */
import type { Appended } from '../grouping.ts'
import type { Arrival, Told } from '../ports.ts'
import { columns, tally } from './counts.ts'
import { type Database, prepared, type Session } from './database.ts'
import { laneOf, makeReady } from './lanes.ts'
import { share } from './locks.ts'

type Stored = Exclude<Arrival, { state: 'ignored' }>

/** Resolves to each one's answer, and the lanes that have something due now and had nothing before. */
export async function append(db: Database, batch: readonly Arrival[]): Promise<Appended> {
  const orgs = [...new Set(batch.map(({ org }) => org))]
  const begin = async (session: Session) => {
    const locked = share(session, orgs)
    const [fresh] = await Promise.all([storeNew(session, batch), locked])
    const counts = tally()
    const ready = new Map<string, { org: string; lane: string; at: number }>()
    const told = batch.map((arrival): Told => {
      const { org, type, state } = arrival
      // Not installed accounts are counted together: their number is not ours to bound.
      const owner = state === 'unclaimed' ? '' : org
      const { receivedAt } = arrival
      if (state !== 'ignored' && !fresh.has(arrival)) {
        counts.add(owner, type, 'duplicate')
        counts.note(owner, type, 'duplicate', receivedAt)
        return 'duplicate'
      }
      counts.add(owner, type, 'received')
      if (state === 'ignored') {
        counts.add(org, type, 'ignored', 1, arrival.reason)
        counts.note(org, type, 'ignored', receivedAt, arrival.reason)
        return 'ignored'
      }
      counts.note(org, type, 'received', receivedAt)
      if (state === 'quarantined') counts.note(org, type, 'aside', receivedAt)
      const lane = laneOf(state)
      if (lane && !ready.has(`${lane} ${org}`)) ready.set(`${lane} ${org}`, { org, lane, at: receivedAt })
      return 'stored'
    })
    return { told, ready, counts }
  }
  return db.transaction(begin, async (session, { told, ready, counts }) => {
    const [woke] = await Promise.all([makeReady(session, [...ready.values()]), counts.write(session)])
    return { told, woke }
  })
}

/** Which of them are no event that is remembered. Equal ones of one group are one event: they differ by milliseconds. */
async function storeNew(session: Session, batch: readonly Arrival[]): Promise<Set<Arrival>> {
  const first = new Map<string, Stored>()
  for (const arrival of batch) {
    if (arrival.state === 'ignored') continue
    const identity = Buffer.from(arrival.identity).toString('latin1')
    if (!first.has(identity)) first.set(identity, arrival)
  }
  const arrivals = [...first.values()]
  if (arrivals.length === 0) return new Set()
  let bytes = 0
  const rows = arrivals.map((arrival) => {
    const { receivedAt, rememberMs, state, body, dueAt } = arrival
    const at = bytes + 1
    bytes += body.byteLength
    const due = state === 'asking' ? (dueAt ?? receivedAt) : null
    return { ...arrival, until: receivedAt + rememberMs, due, at, length: body.byteLength }
  })
  const stored = await session.all(
    insertion,
    Math.min(...arrivals.map(({ receivedAt }) => receivedAt)),
    // In one piece: many small values cost more than the rest of the way.
    Buffer.concat(arrivals.map(({ body }) => body)),
    ...columns(rows, [
      'identity',
      'until',
      'at',
      'length',
      'org',
      'type',
      'state',
      'messageId',
      'receivedAt',
      'reason',
      'due',
      'mapping',
      'contact',
      'conversation',
    ]),
  )
  return new Set(stored.map(({ n }) => arrivals[Number(n) - 1]!))
}

const insertion = prepared(`
WITH arrived AS MATERIALIZED (
  SELECT * FROM unnest(
    $3::bytea[], $4::bigint[], $5::integer[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::bigint[], $12::text[], $13::bigint[], $14::integer[], $15::text[], $16::text[]
  ) WITH ORDINALITY AS a (
    identity, until, at, length, org, type, state, message_id, received_at, reason, due_at, mapping, contact,
    conversation, n
  )
), fresh AS (
  INSERT INTO identities SELECT identity, until FROM arrived ORDER BY identity
  ON CONFLICT (identity) DO UPDATE SET until = excluded.until
    WHERE identities.until <= $1 OR identities.until - excluded.until > excluded.until - $1
  RETURNING identity
), numbered AS MATERIALIZED (
  SELECT nextval('places') AS id, a.*
  FROM (SELECT arrived.* FROM arrived JOIN fresh USING (identity) ORDER BY n) a
), stored AS (
  INSERT INTO entries
    (id, place, org, type, state, message_id, received_at, bytes, reason, due_at, mapping, contact, conversation)
  SELECT id, id, org, type, state, message_id, received_at, length, reason, due_at, mapping, contact, conversation
  FROM numbered
), kept AS (
  INSERT INTO bodies (id, body) SELECT id, substring($2::bytea FROM at FOR length) FROM numbered
)
SELECT n FROM numbered`)
