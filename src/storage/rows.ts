/** What the engines that speak SQL read from their rows: the columns have the same names in both. */
import { readChecked } from '../lib/json.ts'
import {
  countedOutcome,
  deliveriesIn,
  finalAt,
  firstDeliveriesIn,
  type History,
  historyOf,
  wasElsewhere,
} from './history.ts'
import type { Caution } from './isolating.ts'
import { bodyOf, positionOf } from './place.ts'
import type { Attempt, Destination, Placed, State } from './ports/entry.ts'
import type { Delivery, EntryHistory, HistoryStep, LaneShown, Shown, TimeBucket, Total } from './ports/lookup.ts'
import type { Candidate } from './query.ts'
import { choiceAt } from './resent.ts'
import { present, type Row } from './statements.ts'

/** What was learnt of the entry `e`: what is noted for this destination says the rest as well. */
export function learntAt(destination: string): string {
  return `(SELECT k.sealed FROM learnt k WHERE k.id = e.id AND k.destination IN (0, ${destination}) ORDER BY k.destination DESC LIMIT 1)`
}

/** A job's counts, of which `moved` has grown. */
export function withMoved(counts: string, by: number): string {
  const before = readChecked(counts) as { moved?: number }
  return JSON.stringify({ ...before, moved: (before.moved ?? 0) + by })
}

/** As the lane of this destination hands it out. */
export function entryOf(row: Row, destination: Destination): Placed {
  const known = row.known as Uint8Array | null
  const id = Number(row.id)
  return {
    ...ofBoth(row, destination),
    state: row.state as State,
    place: Number(row.place),
    body: { id: bodyOf(id), version: Number(row.version) },
    position: positionOf(id),
    ...present<Pick<Placed, 'contact' | 'conversation'>>({ contact: row.contact, conversation: row.conversation }),
    ...(known ? { known } : {}),
  }
}

export function cautionOf({ crashes, isolating }: Row): Caution {
  return { crashes: Number(crashes), isolating: Number(isolating) }
}

export function shownOf(row: Row): Shown {
  const destination = Number(row.destination)
  const state = stateOf(row, destination)
  return {
    ...ofBoth(row, destination),
    ...state,
    destination: row.excepted === 0 ? 0 : destination,
    ...present<Pick<Shown, 'dueAt' | 'settledAt' | 'contact' | 'conversation'>>({
      dueAt: row.due_at,
      settledAt: settledIn(row, destination, state),
      contact: row.contact,
      conversation: row.conversation,
    }),
  }
}

/** With what became of it, by which its last attempt is found. */
export type Found = Shown & { history?: Uint8Array }

export function foundIn(row: Row): Found {
  return { ...shownOf(row), ...(row.history === null ? {} : { history: row.history as Uint8Array }) }
}

/** An id that was looked at, and what stands there. */
export interface Look {
  id: number
  /** Absent where the store has no entry with this id. */
  found?: Candidate
}

export function lookOf(row: Row): Look {
  return row.id === null ? { id: Number(row.looked) } : { id: Number(row.id), found: candidateOf(row) }
}

/** What says whether a query finds an entry, as far as the query asks for it: thousands for one page. */
function candidateOf(row: Row): Candidate {
  const { state, reason } = stateOf(row, Number(row.destination))
  return {
    id: Number(row.id),
    org: row.org as string,
    receivedAt: Number(row.received_at),
    state,
    reason,
    type: row.type as string | undefined,
    messageId: row.message_id as string | undefined,
    contact: row.contact as string | null | undefined,
    conversation: row.conversation as string | null | undefined,
  }
}

/**
 * The one rule for lists, totals and sending: an exception, else in the queue, else what became of it last. What holds a
 * lane does not matter to entries that have left it.
 */
function stateOf(row: Row, destination: number): Pick<Shown, 'state' | 'reason'> {
  const why = row.why === null ? {} : { reason: row.why as string }
  if (row.state !== null) return { state: row.state as State, ...why }
  if (Number(row.queued) > 0) return { state: 'waiting', ...why }
  const history = row.history as Uint8Array | null
  const there = finalAt(history, destination)
  if (!there && Number(row.is_named) > 0) return { state: 'not_given' }
  // Of no destination in particular: what became of it at one that is not there any more.
  const final = there ?? historyOf(history).noted.findLast(({ outcome }) => outcome === 'delivered')
  if (!final || countedOutcome(final).outcome === 'delivered') return { state: 'delivered' }
  return { state: 'ignored', ...present<Pick<Shown, 'reason'>>({ reason: countedOutcome(final).reason ?? null }) }
}

/**
 * The row has the time of what happened last at any destination: it is this one's where no other had a part in it. What an
 * attempt ended has the attempt's time: see `answeredBy`.
 */
function settledIn(row: Row, destination: number, { state }: Pick<Shown, 'state'>): unknown {
  const isFinal = state === 'delivered' || state === 'ignored' || state === 'dead' || state === 'quarantined'
  const isOwn = row.excepted === 0 || !wasElsewhere(row.history as Uint8Array | null, destination)
  return isFinal && isOwn ? row.settled_at : null
}

/** An entry with the last attempt that had it at the destination that it is shown for. */
export function answeredBy<One extends Shown>(shown: One, attempt: Row | undefined): One {
  if (!attempt) return shown
  const { status, many, tries } = attemptOf(attempt)
  const isFinal = shown.state === 'delivered' || shown.state === 'dead'
  const settled = isFinal ? { settledAt: answeredAt(attempt) } : {}
  return { ...shown, ...settled, answer: { status, many, tries } }
}

/** When the answer was there. */
function answeredAt({ at, ms }: Row): number {
  return Number(at) + Number(ms)
}

/** The ids of the attempts by which these entries were delivered, at first and at last. */
export function deliveredBy(rows: readonly Row[]): number[] {
  const ids = ({ history }: Row) =>
    [...firstDeliveriesIn(historyIn(history)), ...deliveriesIn(historyIn(history))].map(({ attempt }) => attempt)
  return rows.flatMap(ids)
}

/** The deliveries of entries, each by the attempt that made it: the last ones, or those before it was sent again. */
export function deliveriesOf(
  rows: readonly Row[],
  attempts: readonly Row[],
  which: typeof deliveriesIn | typeof firstDeliveriesIn,
): Delivery[] {
  const times = new Map(attempts.map((row) => [Number(row.id), answeredAt(row)]))
  return rows.flatMap(({ received_at, settled_at, history }) =>
    which(historyIn(history)).flatMap(({ destination, attempt }): Delivery[] => {
      const settledAt = times.get(attempt) ?? (settled_at === null ? undefined : Number(settled_at))
      if (settledAt === undefined) return []
      return [{ destination, receivedAt: Number(received_at), settledAt }]
    }),
  )
}

function historyIn(history: unknown): Uint8Array | null {
  return history as Uint8Array | null
}

/** Of each destination the time of its last one. */
export function lastOf(deliveries: readonly Delivery[]): { destination: Destination; at: number }[] {
  const last = new Map<Destination, number>()
  for (const { destination, settledAt } of deliveries)
    last.set(destination, Math.max(last.get(destination) ?? 0, settledAt))
  return [...last].map(([destination, at]) => ({ destination, at })).sort((a, b) => a.destination - b.destination)
}

function ofBoth(row: Row, destination: Destination) {
  return {
    id: Number(row.id),
    org: row.org as string,
    type: row.type as string,
    messageId: row.message_id as string,
    receivedAt: Number(row.received_at),
    mapping: Number(row.mapping),
    ...choiceAt(row.resent, destination),
    bytes: Number(row.bytes),
    failures: Number(row.failures),
  }
}

/** An entry's history with the rows of the attempts that it names. */
export function historyShown({ noted, leftOut }: History, rows: readonly Row[]): EntryHistory {
  const attempts = new Map(rows.map((row) => [Number(row.id), row]))
  const steps = noted.map(({ destination, outcome, attempt }): HistoryStep => {
    const row = attempts.get(attempt)
    if (!row) return { destination, outcome }
    if (outcome !== 'resent') return { destination, outcome, attempt: attemptOf(row) }
    return { destination, outcome, resent: { at: Number(row.at), who: (row.who ?? '') as string } }
  })
  return { steps, leftOut }
}

function attemptOf(row: Row): Attempt {
  return {
    at: Number(row.at),
    ms: Number(row.ms),
    status: Number(row.status),
    many: Number(row.many),
    tries: Number(row.tries),
    ...present<Pick<Attempt, 'reason' | 'nextAt' | 'excerpt'>>({
      reason: row.reason,
      nextAt: row.next_at,
      excerpt: row.excerpt,
    }),
  }
}

export function laneOf(row: Row): LaneShown {
  return {
    lane: row.lane,
    destination: Number(row.destination),
    failures: Number(row.failures),
    ...present<Partial<LaneShown>>({
      readyAt: row.ready_at,
      leaseUntil: row.lease_until,
      hold: row.hold,
      blocked: row.blocked,
      triedAt: row.tried_at,
      lastError: row.last_error,
      retryAfterAt: row.retry_after_at,
      askedAt: row.asked_at,
    }),
    ...(Number(row.asked) > 0 && row.ready_at !== null ? { asked: true } : {}),
  } as LaneShown
}

/** A total or a moment: its reason is empty where it has none. */
export function countedOf<Counted extends Total | TimeBucket>({ reason, ...row }: Row): Counted {
  return { ...row, ...(reason === '' ? {} : { reason }) } as unknown as Counted
}
