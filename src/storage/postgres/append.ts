/** Keeping webhooks: one statement for a whole group, see append_2 in functions/. */
import pg from 'pg'
import type { Appended, Arrival, Lane, NewBody, NewEvent } from '../ports/entry.ts'
import { collected, countArrivals } from '../tally.ts'
import { columns } from './counts.ts'
import { type Database, prepared } from './database.ts'

export async function append(
  db: Database,
  bodies: readonly NewBody[],
  arrivals: readonly Arrival[],
): Promise<Appended> {
  const repeats = repeatsIn(arrivals)
  if (repeats.length > 0) return { is: 'again', known: repeats }
  const events = arrivals.flatMap((arrival, nth) => (isEvent(arrival) ? [{ ...arrival, nth }] : []))
  const { sealed, ...cut } = bodiesOf(bodies, events)
  const counts = collected()
  const outcomes = countArrivals(counts, arrivals)
  try {
    const rows = await db.alone(
      appending,
      [...new Set(arrivals.map(({ org }) => org))],
      sealed,
      ...columns(cut.bodies, ['org', 'at', 'length', 'n']),
      Math.min(...events.map(({ receivedAt }) => receivedAt), Number.MAX_SAFE_INTEGER),
      ...columns(events.map(rowOf), [
        'nth',
        'identity',
        'once',
        'until',
        'body',
        'position',
        'org',
        'type',
        'state',
        'messageId',
        'receivedAt',
        'mapping',
        'bytes',
        'reason',
        'due',
        'contact',
        'conversation',
        'lane',
        'person',
      ]),
      ...columns(counts.counted(), ['org', 'type', 'outcome', 'reason', 'by']),
      ...columns(counts.noted(), ['org', 'at', 'type', 'outcome', 'reason', 'by']),
    )
    const known = rows.flatMap(({ org, destination: nth }) => (org === null ? [Number(nth)] : []))
    if (known.length > 0) return { is: 'again', known }
    return {
      is: 'kept',
      outcomes,
      woke: rows.map(({ org, destination, lane }) => ({
        org: org as string,
        destination: Number(destination),
        lane: lane as Lane,
      })),
    }
  } catch (error) {
    const known = knownBy(error)
    if (known) return { is: 'again', known }
    throw error
  }
}

const appending = prepared(`SELECT * FROM append_2(${Array.from({ length: 37 }, (_, at) => `$${at + 1}`).join(', ')})`)

function isEvent(arrival: Arrival): arrival is NewEvent {
  return arrival.state !== 'duplicate' && arrival.state !== 'ignored'
}

/** The later ones of equal events: no statement can keep an identity twice, nor give a destination a key twice. */
function repeatsIn(arrivals: readonly Arrival[]): number[] {
  const seen = new Set<string>()
  return arrivals.flatMap((arrival, at) => {
    if (!isEvent(arrival)) return []
    const { identity, once, org, state } = arrival
    const is = Buffer.from(identity).toString('latin1')
    const key = once && state !== 'unclaimed' ? `${org} ${Buffer.from(once).toString('latin1')}` : undefined
    if (seen.has(is) || (key !== undefined && seen.has(key))) return [at]
    seen.add(is)
    if (key !== undefined) seen.add(key)
    return []
  })
}

/** In one piece: many small values cost more than the rest of the way. */
function bodiesOf(bodies: readonly NewBody[], events: readonly NewEvent[]) {
  const texts = bodies.map(() => 0)
  for (const { body } of events) texts[body]!++
  let end = 0
  const cut = bodies.map(({ org, sealed: { byteLength: length } }, at) => {
    end += length
    return { org, at: end - length + 1, length, n: texts[at]! }
  })
  return { sealed: Buffer.concat(bodies.map(({ sealed }) => sealed)), bodies: cut }
}

function rowOf(event: NewEvent & { nth: number }) {
  const { receivedAt, rememberMs, state, dueAt, waitsBehind } = event
  return {
    ...event,
    lane: waitsBehind ? 1 : 0,
    until: receivedAt + rememberMs,
    due: state === 'asking' ? (dueAt ?? receivedAt) : null,
  }
}

/** The positions that append_2 names when another transaction was a moment quicker. */
function knownBy(error: unknown): number[] | undefined {
  const cause = error instanceof Error && error.cause instanceof pg.DatabaseError ? error.cause : error
  if (!(cause instanceof pg.DatabaseError) || cause.code !== 'DS001') return undefined
  return (cause.detail ?? '').split(',').map(Number)
}
