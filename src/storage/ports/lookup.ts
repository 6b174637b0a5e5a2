/** What every storage engine promises of looking: counts, lists, one event, whose conversation it is. Nothing is changed. */
import type { Attempt, Body, Destination, Entry, IgnoredReason, Lane, Org, Outcome, State } from './entry.ts'

export interface Total {
  org: Org
  /** 0: of the account, before and beside its destinations. */
  destination: Destination
  type: string
  outcome: Outcome
  /** Of what is ignored, and of nothing else. */
  reason?: IgnoredReason
  count: number
}

export interface Standing {
  org: Org
  /** 0: what is not given over to any destination yet. */
  destination: Destination
  state: State
  /** The lane's hold or trouble for waiting and asking entries, else the entries' own reason. */
  reason?: string
  count: number
  /** When the first in line was received or, of what does not wait in line, the oldest. */
  oldestReceivedAt: number
}

/**
 * What was counted in the minute, or hour, that begins at `at`. `received`: kept as an entry, so what is ignored on arrival
 * is not among it. `aside`: dead or quarantined.
 */
export interface Moment {
  at: number
  /** 0: of the account, before and beside its destinations. */
  destination: Destination
  type: string
  outcome: 'received' | 'delivered' | 'aside' | 'ignored' | 'duplicate'
  /** Of what is ignored, and of nothing else. */
  reason?: IgnoredReason
  count: number
}

export interface Ledger {
  /** What was counted since the beginning; survives retention. */
  totals(): Promise<Total[]>
  /** What is there now and not delivered, by account, state and reason, counted row by row. */
  standings(): Promise<Standing[]>
  /** Both as of one moment: they add up, whatever is written meanwhile. */
  books(): Promise<{ totals: Total[]; standings: Standing[] }>
  /** An account's moments of this time, in order; in minutes where they are young, else in hours. */
  moments(org: Org, from: number, to: number): Promise<Moment[]>
}

/** `ignored`: the destination has no use for it, but it is kept. */
export type ShownState = State | 'ignored'

/** An entry as people look at it: everything but what is sealed. */
export interface Shown extends Omit<Entry, 'state' | 'position' | 'known'> {
  state: ShownState
  /** Whose state this is: 0 until it is given over to a destination. */
  destination: Destination
  /** Its own reason or, while it waits, what holds or troubles its lane. */
  reason?: string
  /** When Drift is asked again. */
  dueAt?: number
  settledAt?: number
  /** The last request that had it, at this destination. */
  answer?: Pick<Attempt, 'status' | 'many' | 'tries'>
}

/** One entry with what is sealed of it. */
export interface ReadEntry extends Omit<Shown, 'body'> {
  /** Undefined when its body is not there, which is damage. */
  body: Body | undefined
  position: number
  known?: Uint8Array
}

/** What is not given does not matter. Times are of the receipt, `from` included, `to` not. */
export interface Query {
  org?: Org
  message?: string
  contact?: string
  conversation?: string
  type?: string
  /** Whose states are meant: where it is not given, those of the account's first destination. */
  destination?: Destination
  states?: readonly ShownState[]
  reason?: string
  from?: number
  to?: number
}

/** Where a list goes on: below this entry. */
export interface Cursor {
  id: number
}

export interface LaneShown {
  lane: Lane
  /** 0 of the lane that asks. */
  destination: Destination
  readyAt?: number
  leaseUntil?: number
  failures: number
  hold?: string
  trouble?: string
  /** How and when the last lease ended. */
  triedAt?: number
  setback?: string
  /** The end of a `Retry-After`. */
  retryAfterAt?: number
  /** When a person last had an attempt made, and whether it has not ended yet. */
  askedAt?: number
  asked?: true
}

/** Looking, without touching. */
export interface Lookup {
  /** The one kept last comes first; at most `limit`. One call looks at a bounded number of entries: with `next` there may be more. */
  find(query: Query, page: { before?: Cursor; limit: number }): Promise<{ entries: Shown[]; next?: Cursor }>
  read(id: number): Promise<ReadEntry | undefined>
  lanes(org: Org): Promise<LaneShown[]>
  /** When the entry that came last was received, by the clock of that moment; undefined in an empty store. */
  lastReceivedAt(): Promise<number | undefined>
}
