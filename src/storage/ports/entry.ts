/** The words for an event in the store: where it stands, where it goes, and what is kept of it. */

/** An event's account is known by Drift's orgId in digits; '' where a webhook named none. */
export type Org = string

/**
 * `waiting`: to be sent. `asking`: a lookup at Drift must say first whose it is. `unclaimed`: its account is not installed.
 * `quarantined`: not readable as an event. `dead`: refused for a reason of its own. `delivered`: Segment took it.
 */
export type State = 'waiting' | 'asking' | 'unclaimed' | 'quarantined' | 'dead' | 'delivered'

/**
 * What is counted where no row remains, or beside it. `received` is everything answered 200 but duplicates, `backfilled`
 * what was read at Drift instead. `taken`: of both, given over to a destination; at destination 0, to at least one.
 */
export type Outcome = 'received' | 'backfilled' | 'duplicate' | 'ignored' | 'expired' | 'taken' | 'delivered' | 'dead'

/**
 * Why an event is only counted. `switched_off`: its account has chosen so. `empty`: it says nothing, such as an update
 * without a change. `unknown_type`: no page of the catalogue has its type. `disconnected`: its account has left, or this
 * is Drift saying so. `not_allowed`: DRIFT_ORG_IDS_ALLOWED does not list its account. `filtered`: the options of a
 * destination leave it out there. `no_consent`: they send nothing there without consent.
 */
export const ignoredReasons = [
  'switched_off',
  'empty',
  'unknown_type',
  'disconnected',
  'not_allowed',
  'filtered',
  'no_consent',
] as const
export type IgnoredReason = (typeof ignoredReasons)[number]

/** Ignored for these by one destination, an event is kept there, so that it can be sent again. */
export const keptReasons = ['filtered', 'no_consent'] as const satisfies IgnoredReason[]
export type KeptReason = (typeof keptReasons)[number]

export function isKeptReason(reason: string | undefined): reason is KeptReason {
  return keptReasons.some((kept) => kept === reason)
}

/** A destination's number in its account, from 1, never given twice. 0: before any destination. */
export type Destination = number

/** One lane for each destination sends to it, and one of each account asks Drift; each has one holder at a time. */
export type Lane = 'send' | 'ask'

export interface LaneKey {
  org: Org
  lane: Lane
  /** 0 of a lane that asks. */
  destination: Destination
}

/** The number of an account's first destination, unless that was removed. */
export const firstDestination = 1

export function sendLane(org: Org, destination: Destination = firstDestination): LaneKey {
  return { org, lane: 'send', destination }
}

export function askLane(org: Org): LaneKey {
  return { org, lane: 'ask', destination: 0 }
}

/** The texts of 1 to 100 events of one account, sealed together. What it looks like inside is the caller's. */
export interface NewBody {
  org: Org
  /** At most 60,000 bytes of texts; one event alone may have more. */
  sealed: Uint8Array
}

/** Where a body is, and which of its versions: it is written again when an event of it is erased. */
export interface BodyName {
  id: number
  version: number
}

export interface Body extends BodyName {
  sealed: Uint8Array
}

export type Arrival =
  | NewEvent
  /** The same as an event that is known: only counted. */
  | { state: 'duplicate'; org: Org; type: string; receivedAt: number }
  /** Only counted. */
  | { state: 'ignored'; org: Org; type: string; reason: IgnoredReason; receivedAt: number }

export interface NewEvent {
  state: 'waiting' | 'asking' | 'unclaimed' | 'quarantined'
  reason?: string
  org: Org
  type: string
  /** Made here, once; at most 100 characters. */
  messageId: string
  receivedAt: number
  /**
   * Equal identities are one event for `rememberMs`, counted from the first; never for more than twice as long,
   * whatever a clock has written that has been set back since. Sixteen bytes; those of events of one time begin
   * alike, so that an engine finds them side by side.
   */
  identity: Uint8Array
  rememberMs: number
  /**
   * Its natural key, as a keyed digest of sixteen bytes: it is given to each destination once for as long as the account is
   * there, whichever event with this key came first. Where each destination of the account has had one, it is known.
   */
  once?: Uint8Array
  /** No webhook: it was read at Drift. */
  backfilled?: true
  /** In each queue it waits behind all that webhooks have brought. */
  waitsBehind?: true
  /**
   * Whose it is, as a keyed digest of sixteen bytes, where an erased person's is not to be kept: while `markErased` has this
   * one, it is known.
   */
  person?: Uint8Array
  /** Which of the append's bodies has its text, and at which position, from 0. */
  body: number
  position: number
  /** Length of its text. */
  bytes: number
  /** Which version of its event's page it is translated by, and which of its account's options it is sent with. */
  mapping: number
  /** What people search by, as far as the webhook says it. */
  contact?: string
  conversation?: string
  /** When its lookup is due, for `asking`; its receipt when absent. */
  dueAt?: number
}

export type Appended =
  /** `woke`: lanes that have something due now and had nothing before. */
  | { is: 'kept'; outcomes: ('stored' | 'duplicate' | 'ignored')[]; woke: LaneKey[] }
  /**
   * Nothing was kept or counted: these of the arrivals are events that are known. Sealed again without them, and with
   * them as duplicates, they can be appended. So a body holds exactly what was stored.
   */
  | { is: 'again'; known: number[] }

export interface Entry {
  id: number
  org: Org
  type: string
  state: State
  messageId: string
  receivedAt: number
  /** Which version of its event's page it is translated by, at the destination that it is handed out or shown for. */
  mapping: number
  /** How often a person has sent it there as a new one. */
  sending?: number
  /** Length of its text. */
  bytes: number
  /** Lookups of this entry that failed, for its backoff. */
  failures: number
  contact?: string
  conversation?: string
  body: BodyName
  /** Position of its text in the body. */
  position: number
  /** Sealed; what was learnt of it, at the destination where something was noted there. */
  known?: Uint8Array
}

/**
 * Places of what waits behind (`waitsBehind`) begin here: it waits behind all that webhooks have brought, whenever they came. 2^52, so
 * that each stays a number that a double holds.
 */
export const historyFrom = 2 ** 52

/** Whether what has this place was appended with `waitsBehind`. */
export function isBehind(place: number): boolean {
  return place >= historyFrom
}

/** An entry in the queue: its place is larger than that of every entry before it in its lane. */
export interface Placed extends Entry {
  place: number
}

/** What is read of a queue: entries, and each of their bodies once. A body that is not there any more is left out. */
export interface Given {
  /** Each once, in the order in which they are to be sent or looked up. */
  entries: Placed[]
  bodies: Body[]
}

/** One request, and what came of it. Kept for as long as an event that was in it. */
export interface Attempt {
  at: number
  /** How long the answer took. */
  ms: number
  /** The HTTP status; 0 where there was no answer. */
  status: number
  /** Events in the request. */
  many: number
  /** At which try of its lane. */
  tries: number
  /** Why the answer was not a success, in a word; absent where it was one. */
  reason?: string
  /** When the same was to be tried next. */
  nextAt?: number
  /** The beginning of an answer that was not a success, sealed. It goes with the first of its events that is taken away. */
  excerpt?: Uint8Array
}
