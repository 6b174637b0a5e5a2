/** Keeping webhooks in SQLite: one part of the transaction that the worker has opened around it. */

import { perBody } from '../place.ts'
import type { Appended, Arrival, LaneKey, NewBody, NewEvent } from '../ports/entry.ts'
import { tally } from './counts.ts'
import type { Database } from './database.ts'
import { ensureDestination } from './destinations.ts'
import { makeReady, takePlaces } from './lanes.ts'
import { enqueue, except } from './queue.ts'
import { receiveArrivals, type TransferredArrivals } from './transfer.ts'

export function append(db: Database, transferred: TransferredArrivals): Appended {
  const { bodies, arrivals } = receiveArrivals(transferred)
  const known = rememberAll(db, arrivals)
  if (known.length > 0) return { is: 'again', known }
  const goOn = new Set(arrivals.flatMap(({ state, org }) => (state === 'waiting' || state === 'asking' ? [org] : [])))
  const meantFor = new Map([...goOn].map((org) => [org, ensureDestination(db, org)]))
  // After those of the destinations, which are for what comes behind them.
  const first = (takePlaces(db, bodies.length) + 1) * perBody
  keepBodies(db, bodies, arrivals, first)
  const counts = tally()
  const ready = new Map<string, LaneKey & { at: number }>()
  const due = (key: LaneKey, at: number) => {
    const name = `${key.org} ${key.destination} ${key.lane}`
    if (!ready.has(name)) ready.set(name, { ...key, at })
  }
  const outcomes = arrivals.map((arrival) => {
    const { org, type, state, receivedAt } = arrival
    if (state === 'duplicate') {
      counts.add({ org, type, outcome: 'duplicate' })
      counts.note({ org, type, outcome: 'duplicate' }, receivedAt)
      return 'duplicate'
    }
    if (state === 'ignored') {
      const { reason } = arrival
      counts.add({ org, type, outcome: 'received' })
      counts.add({ org, type, outcome: 'ignored', reason })
      counts.note({ org, type, outcome: 'ignored', reason }, receivedAt)
      return 'ignored'
    }
    const id = first + arrival.body * perBody + arrival.position
    keepEntry(db, id, arrival)
    // Not installed accounts are counted together: their number is not ours to bound.
    counts.add({ org: state === 'unclaimed' ? '' : org, type, outcome: 'received' })
    counts.note({ org, type, outcome: 'received' }, receivedAt)
    if (state === 'waiting') {
      for (const destination of meantFor.get(org)!) {
        enqueue(db, { org, destination }, id, id)
        counts.add({ org, destination, type, outcome: 'taken' })
        due({ org, destination, lane: 'send' }, receivedAt)
      }
      counts.add({ org, type, outcome: 'taken' })
      return 'stored'
    }
    const dueAt = state === 'asking' ? (arrival.dueAt ?? receivedAt) : null
    except(db, id, 0, { org, state, reason: arrival.reason, receivedAt, dueAt })
    if (state === 'quarantined') counts.note({ org, type, outcome: 'aside' }, receivedAt)
    if (state === 'asking') due({ org, destination: 0, lane: 'ask' }, receivedAt)
    return 'stored'
  })
  const woke = [...ready.values()].filter(({ at, ...key }) => makeReady(db, key, at)).map(({ at: _, ...key }) => key)
  counts.write(db)
  return { is: 'kept', outcomes: outcomes as ('stored' | 'duplicate' | 'ignored')[], woke }
}

/** Which of them are known already; when some are, it is as if none had been looked at. */
function rememberAll(db: Database, arrivals: readonly Arrival[]): number[] {
  const known: number[] = []
  db.run('SAVEPOINT identities')
  for (const [at, arrival] of arrivals.entries()) {
    // mutant: has no unique index for identities in SQLite
    if (isEvent(arrival) && !isNew(db, arrival)) known.push(at)
  }
  if (known.length > 0) db.run('ROLLBACK TO identities')
  db.run('RELEASE identities')
  return known
}

function isEvent(arrival: Arrival): arrival is NewEvent {
  return arrival.state !== 'duplicate' && arrival.state !== 'ignored'
}

/** True the first time, and again once the memory of the first has run out. */
function isNew(db: Database, { identity, receivedAt, rememberMs }: NewEvent): boolean {
  return (
    db.run(
      `INSERT INTO identities VALUES (?, ?)
       ON CONFLICT (identity) DO UPDATE SET until = excluded.until WHERE until NOT BETWEEN ? AND ?`,
      identity,
      receivedAt + rememberMs,
      receivedAt + 1,
      receivedAt + 2 * rememberMs,
    ) === 1
  )
}

function keepBodies(db: Database, bodies: readonly NewBody[], arrivals: readonly Arrival[], first: number): void {
  const texts = bodies.map(() => 0)
  for (const arrival of arrivals) if (isEvent(arrival)) texts[arrival.body]!++
  for (const [at, { org, sealed }] of bodies.entries()) {
    const sql = 'INSERT INTO bodies (id, org, n, sealed) VALUES (?, ?, ?, ?)'
    db.run(sql, first + at * perBody, org, texts[at]!, sealed)
  }
}

function keepEntry(db: Database, id: number, event: NewEvent): void {
  db.run(
    `INSERT INTO entries (id, org, type, message_id, received_at, mapping, bytes, contact, conversation)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    event.org,
    event.type,
    event.messageId,
    event.receivedAt,
    event.mapping,
    event.bytes,
    event.contact ?? null,
    event.conversation ?? null,
  )
}
