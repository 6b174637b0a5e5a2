/** What every storage engine promises of looking: counts, lists, one event, whose conversation it is. Nothing is changed. */
import type {
  Attempt,
  Body,
  Destination,
  Entry,
  IgnoredReason,
  KeptReason,
  Lane,
  Org,
  Outcome,
  State,
} from './entry.ts'

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

export interface BacklogRow {
  org: Org
  /** 0: what is not given over to any destination yet. */
  destination: Destination
  state: State
  /** What holds or blocks the lane for waiting and asking entries, else the entries' own reason. */
  reason?: string
  /** Of asking entries, in the backlog of all accounts: what Drift's last answer about them was. */
  lookupReason?: string
  count: number
  /** When the first of the queue was received or, of what is not queued, the oldest; of a snapshot, the one kept first. */
  oldestReceivedAt: number
}

/**
 * What was counted in the minute, or hour, that begins at `at`. `received`: kept as an entry, so what is ignored on arrival
 * is not among it, nor what is `backfilled`. `failed`: dead or quarantined.
 */
export interface TimeBucket {
  at: number
  /** 0: of the account, before and beside its destinations. */
  destination: Destination
  type: string
  outcome: 'received' | 'backfilled' | 'delivered' | 'failed' | 'ignored' | 'duplicate'
  /** Of what is ignored, and of nothing else. */
  reason?: IgnoredReason
  count: number
}

/** A time: `from` included, `to` not. */
export interface Period {
  from: number
  to: number
}

/** What is not final of the events that came in a time. */
export interface Open {
  /** 0: what is not given over to any destination yet. */
  destination: Destination
  state: Exclude<State, 'delivered'>
  /** The events' own. */
  reason?: string
  count: number
  /** So many at least. */
  isCut?: true
}

/** An account's figures, all read at one time. */
export interface Snapshot {
  /** Those that have not been removed. */
  destinations: Destination[]
  totals: Total[]
  /**
   * `newestReceivedAt`: of what is not queued, the one kept last. What waits is counted row by row where that is at
   * most `tallyMax`; more than that is what the totals leave.
   */
  backlog: (BacklogRow & { newestReceivedAt?: number })[]
  /** Of the time that was asked for. */
  timeBuckets: TimeBucket[]
  /**
   * Of what was received in that time. Its ends are found in the order of keeping, so that events kept together may be
   * counted in the bucket before or behind.
   */
  open: Open[]
  /**
   * Some of the latest deliveries of what was received in that time, of each destination by its own attempts. Of what was
   * sent again the one before that, if there was one.
   */
  deliveries: Delivery[]
  /** When the event that was kept last was received. */
  lastReceivedAt?: number
  /** When the last delivery to each destination was made, of those that the store can name without a walk over all of them. */
  lastDelivered: { destination: Destination; at: number }[]
  /** When the first event was received that was meant for each destination; one that is not there has had none. */
  began: { destination: Destination; at: number }[]
}

export interface Delivery {
  destination: Destination
  receivedAt: number
  /** When this destination had answered. */
  settledAt: number
}

export interface Ledger {
  /** What was counted since the beginning; survives retention. */
  totals(): Promise<Total[]>
  /** What is there now and not delivered, by account, state and reason, counted row by row. Not for a page: see `snapshot`. */
  backlog(): Promise<BacklogRow[]>
  /** Both read at one time: they add up, whatever is written meanwhile. */
  snapshotOfAll(): Promise<{ totals: Total[]; backlog: BacklogRow[] }>
  /** An account's time buckets of this period, in order: minutes where they are young, else hours. */
  timeBuckets(org: Org, from: number, to: number): Promise<TimeBucket[]>
  /** Takes some tens of milliseconds with a million events, however many of them wait. */
  snapshot(org: Org, period: Period): Promise<Snapshot>
}

/**
 * `ignored`: the destination has no use for it, but it is kept. `not_given`: the destination that a query names never had it,
 * such as what was received before it was added.
 */
export type ShownState = State | 'ignored' | 'not_given'

/** An entry as people look at it: everything but what is sealed. */
export interface Shown extends Omit<Entry, 'state' | 'body' | 'position' | 'known'> {
  state: ShownState
  /** Whose state this is: 0 until it is given over to a destination. */
  destination: Destination
  /** Its own reason or, while it waits, what holds or blocks its lane. */
  reason?: string
  /** When Drift is asked again. */
  dueAt?: number
  /** When it came to its end at this destination, where the store knows it: what happens at another one does not change it. */
  settledAt?: number
  /** The last request that had it, at this destination. */
  answer?: Pick<Attempt, 'status' | 'many' | 'tries'>
}

/** One entry with what is sealed of it. */
export interface ReadEntry extends Shown {
  /** Undefined when its body is not there, which is damage. */
  body: Body | undefined
  position: number
  known?: Uint8Array
}

/**
 * What an attempt, or a person, made of an entry at a destination: ignored and kept has its reason here. `later`: it stayed, for another attempt. `answered`: Drift
 * said whose it is. `resent`: from here on it is sent again.
 */
export type HistoryOutcome =
  | Exclude<State, 'waiting' | 'asking' | 'unclaimed'>
  | 'ignored'
  | KeptReason
  | 'later'
  | 'resent'
  | 'answered'

export interface HistoryStep {
  /** 0: Drift was asked, for all of them. */
  destination: Destination
  outcome: HistoryOutcome
  /** The request; absent where there was none. */
  attempt?: Attempt
  /** Of `resent`. */
  resent?: { at: number; who: string }
}

/** Oldest first. */
export interface EntryHistory {
  steps: HistoryStep[]
  /** Behind the first five so many are left out. */
  leftOut: number
}

/**
 * What is not given does not matter. Times are of the receipt, `from` included, `to` not; they are found by the order in
 * which entries were kept, so what a clock wrote that was wrong by more than a minute may be missed.
 */
export interface Query {
  org?: Org
  message?: string
  contact?: string
  conversation?: string
  /** The id of its contact or of its conversation, where a person does not say which it is. */
  either?: string
  type?: string
  /** Whose states are meant: where it is not given, those of the account's first destination. */
  destination?: Destination
  states?: readonly ShownState[]
  reason?: string
  notReason?: string
  from?: number
  to?: number
}

/** How many of what a query finds are in this state, for this reason: the one that `Shown` has. */
export interface Tallied {
  state: ShownState
  reason?: string
  count: number
}

/** So many entries are counted at most for one number of a page. */
export const tallyMax = 50_000

export interface Tally {
  rows: Tallied[]
  /** There are more than could be counted: each number says how many there are at least. */
  isCut: boolean
}

/** The events of the same contact that came before and after one, by their messageIds. */
export interface Beside {
  previous?: string
  next?: string
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
  blocked?: string
  /** How and when the last lease ended. */
  triedAt?: number
  lastError?: string
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
  /**
   * How many entries a query finds, by state and reason, as of one moment. Of an account by time alone all of them are
   * counted, up to `tallyMax`; else those that one call of `find` would look at. Where an account has several
   * destinations, what the one that is looked at has no use for and does not keep counts as delivered.
   */
  tally(query: Query & { org: Org }): Promise<Tally>
  /** The events of this entry's contact that were kept before and after it; nothing where it is not known whose it is. */
  beside(id: number): Promise<Beside>
  /** As it stands at this destination; at the account's first one where none is named. */
  read(id: number, destination?: Destination): Promise<ReadEntry | undefined>
  /** What was tried and done with an entry: nothing where it is not there. */
  history(id: number): Promise<EntryHistory>
  lanes(org: Org): Promise<LaneShown[]>
  /** When the entry that came last was received, by the clock of that moment; undefined in an empty store. */
  lastReceivedAt(): Promise<number | undefined>
}
