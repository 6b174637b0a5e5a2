/** What sending an entry again means: where it goes, what is counted, and what is noted of it. The same for both engines. */
import { countedOutcome, finalAt } from './history.ts'
import type { Destination } from './ports/entry.ts'
import type { Redriven } from './ports/inbox.ts'
import { chosen } from './resent.ts'
import type { Collected } from './tally.ts'

/** What is read of it. */
export interface Resendable {
  org: string
  type: string
  mapping: number
  history: Uint8Array | null
  resent: string | null
}

/** The state of an exception, by destination; 0: before any. */
export type Excepted = ReadonlyMap<Destination, unknown>

export function exceptedOf(rows: readonly Readonly<Record<string, unknown>>[]): Excepted {
  return new Map(rows.map(({ destination, state }) => [Number(destination), state]))
}

export function isFailed(state: unknown): boolean {
  return state === 'dead' || state === 'quarantined'
}

/**
 * Of a failed entry that stands before any destination: whether those that it was meant for have its natural key by itself. What
 * waited for an answer of Drift claimed the key as it came, and the answer has settled it; what was quarantined as it came has
 * claimed none, and nothing has settled it.
 */
export function hasClaimed({ settled_at }: { settled_at: unknown }): boolean {
  return settled_at !== null
}

/** `if_new`: it never had the entry, so the entry's natural key decides. */
export function goesTo(
  destination: Destination,
  move: Redriven,
  { history }: Resendable,
  { excepted, isQueued }: { excepted: Excepted; isQueued: boolean },
): 'goes' | 'stays' | 'if_new' {
  if ((move.destination ?? destination) !== destination) return 'stays'
  const state = excepted.get(destination)
  if (state !== undefined) return isFailed(state) ? 'goes' : 'stays'
  if (isQueued) return 'stays'
  if (finalAt(history, destination)) return 'goes'
  return move.destination === destination ? 'if_new' : 'stays'
}

/** Counts that it goes to these destinations again; gives what is chosen for each from now on. */
export function countResent(
  counts: Collected,
  { org, type, mapping, history, resent }: Resendable,
  { asNew, ...move }: Redriven,
  { destinations, excepted }: { destinations: readonly Destination[]; excepted: Excepted },
): string | null {
  return destinations.reduce((before, destination) => {
    const wasExcepted = excepted.has(destination)
    const final = wasExcepted ? undefined : finalAt(history, destination)
    if (final) counts.add({ org, destination, type, ...countedOutcome(final) }, -1)
    else if (!wasExcepted) counts.add({ org, destination, type, outcome: 'taken' })
    const isNew = asNew && final?.outcome === 'delivered' ? { asNew } : {}
    return chosen({ mapping, resent: before }, destination, { ...move, ...isNew })
  }, resent)
}

/** Counts that it is given over for the first time, where it stood before any destination; gives its account and type. */
export function countGiven(
  counts: Collected,
  { org, type }: Pick<Resendable, 'org' | 'type'>,
  move: Redriven,
  destinations: readonly Destination[],
): { org: string; type: string } {
  const own = { org: move.org ?? org, type: move.type ?? type }
  if (own.org !== org || own.type !== type) {
    counts.add({ org, type, outcome: 'received' }, -1)
    counts.add({ ...own, outcome: 'received' })
  }
  counts.add({ ...own, outcome: 'taken' })
  for (const destination of destinations) counts.add({ ...own, destination, outcome: 'taken' })
  return own
}
