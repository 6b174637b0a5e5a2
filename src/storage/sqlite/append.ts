/** Keeping webhooks in SQLite: one part of the transaction that the worker has opened around it. */

import { ensureDestination } from '../destinations.ts'
import { claimOnce, isErased } from '../occurrences.ts'
import { perBody } from '../place.ts'
import type { Appended, Arrival, Destination, LaneKey, NewBody, NewEvent } from '../ports/entry.ts'
import { collected, countArrivals } from '../tally.ts'
import { keepCounts } from './counts.ts'
import type { Database } from './database.ts'
import { makeReady, takePlaces } from './lanes.ts'
import { enqueue, except } from './queue.ts'
import { carriedOut } from './statements.ts'
import { receiveArrivals, type TransferredArrivals } from './transfer.ts'

export function append(db: Database, transferred: TransferredArrivals): Appended {
  const { bodies, arrivals } = receiveArrivals(transferred)
  const { known, meantFor } = rememberAll(db, arrivals)
  if (known.length > 0) return { is: 'again', known }
  // After those of the destinations, which are for what comes behind them.
  const first = (takePlaces(db, bodies.length) + 1) * perBody
  keepBodies(db, bodies, arrivals, first)
  const counts = collected()
  const ready = new Map<string, LaneKey & { at: number }>()
  const due = (key: LaneKey, at: number) => {
    const name = `${key.org} ${key.destination} ${key.lane}`
    if (!ready.has(name)) ready.set(name, { ...key, at })
  }
  const outcomes = countArrivals(counts, arrivals)
  for (const [at, arrival] of arrivals.entries()) {
    if (!isEvent(arrival)) continue
    const { org, type, state, receivedAt } = arrival
    const id = first + arrival.body * perBody + arrival.position
    keepEntry(db, id, arrival)
    const { all, free } = meantFor.get(at) ?? { all: [], free: [] }
    // What a destination has had already is not for all of them any more: the lanes of the others ask.
    if (state === 'waiting' || free.length < all.length) {
      for (const destination of free) {
        enqueue(db, { org, destination }, id, id, arrival.waitsBehind ? 1 : 0)
        counts.add({ org, destination, type, outcome: 'taken' })
        due({ org, destination, lane: 'send' }, receivedAt)
      }
      if (state !== 'waiting') counts.add({ org, type, outcome: 'taken' })
      continue
    }
    const dueAt = state === 'asking' ? (arrival.dueAt ?? receivedAt) : null
    const once = state === 'unclaimed' ? arrival.once : undefined
    except(db, id, 0, { org, state, reason: arrival.reason, receivedAt, dueAt, once })
    if (state === 'asking') due({ org, destination: 0, lane: 'ask' }, receivedAt)
  }
  const woke = [...ready.values()].filter(({ at, ...key }) => makeReady(db, key, at)).map(({ at: _, ...key }) => key)
  keepCounts(db, counts)
  return { is: 'kept', outcomes, woke }
}

/** Destinations of an arrival's account, and those of them that are to be given it. */
interface Meant {
  all: readonly Destination[]
  free: readonly Destination[]
}

/** Which of them are known already; when some are, it is as if none had been looked at. */
function rememberAll(db: Database, arrivals: readonly Arrival[]): { known: number[]; meantFor: Map<number, Meant> } {
  const known: number[] = []
  const meantFor = new Map<number, Meant>()
  const destinations = new Map<string, Destination[]>()
  db.run('SAVEPOINT identities')
  for (const [at, arrival] of arrivals.entries()) {
    if (!isEvent(arrival)) continue
    // mutant: has no unique index for identities in SQLite
    let isKnown = !isNew(db, arrival)
    // mutant: keeps what is read of a person who is erased meanwhile
    isKnown ||= carriedOut(db, isErased(arrival))
    if (arrival.state === 'waiting' || arrival.state === 'asking') {
      const all = destinations.get(arrival.org) ?? carriedOut(db, ensureDestination(arrival.org))
      destinations.set(arrival.org, all)
      // mutant: gives a destination an event whose natural key it has had
      const free = carriedOut(db, claimOnce(arrival, all))
      meantFor.set(at, { all, free })
      isKnown ||= free.length === 0
    }
    if (isKnown) known.push(at)
  }
  if (known.length > 0) db.run('ROLLBACK TO identities')
  db.run('RELEASE identities')
  return { known, meantFor }
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
