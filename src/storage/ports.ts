// biome-ignore-all lint/style/noExcessiveLinesPerFile: all that an engine promises, to be read at once.
/**
 * What every storage engine promises. Storage keeps bytes: whatever is secret or personal reaches it sealed.
 *
 * One conformance suite (conformance.ts) holds every engine to the sentences below. All times are milliseconds since
 * 1970 and come from the caller; an engine has no clock of its own.
 */
import type { Jobs } from './ports/jobs.ts'

/** An entry's account is known by Drift's orgId in digits; '' where a webhook named none. */
export type Org = string

/**
 * `waiting`: to be sent. `asking`: Drift must be asked whose it is, first. `unclaimed`: its account is not installed.
 * `quarantined`: not readable as an event. `dead`: refused for a reason of its own. `delivered`: Segment took it.
 */
export type State = 'waiting' | 'asking' | 'unclaimed' | 'quarantined' | 'dead' | 'delivered'

/** What is counted where no row remains, or beside it. `received` is everything answered 200 but duplicates. */
export type Outcome = 'received' | 'duplicate' | 'ignored' | 'expired' | 'delivered' | 'dead'

/**
 * Why an event is only counted. `switched_off`: its account has chosen so. `empty`: it says nothing, such as an update
 * without a change. `unknown_type`: no page of the catalogue has its type. `disconnected`: its account has left, or this
 * is Drift saying so. `not_allowed`: DRIFT_ORG_IDS_ALLOWED does not list its account.
 */
export const ignoredReasons = ['switched_off', 'empty', 'unknown_type', 'disconnected', 'not_allowed'] as const
export type IgnoredReason = (typeof ignoredReasons)[number]

/** Each account has two lanes, each worked on by one holder at a time: one sends to Segment, one asks Drift. */
export type Lane = 'send' | 'ask'

export type Arrival =
  | {
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
      /** Sealed. */
      body: Uint8Array
      /** Which version of its event's page it is translated by. */
      mapping: number
      /** What people search by, as far as the webhook says it. */
      contact?: string
      conversation?: string
      /** Its turn in the ask lane, for `asking`; its receipt when absent. */
      dueAt?: number
    }
  /** Only counted. */
  | { state: 'ignored'; org: Org; type: string; reason: IgnoredReason; receivedAt: number }

export interface Entry {
  id: number
  org: Org
  type: string
  state: State
  messageId: string
  receivedAt: number
  mapping: number
  /** Lookups of this entry that failed, for its backoff. */
  failures: number
  contact?: string
  conversation?: string
  /** Sealed, as appended. */
  body: Uint8Array
  /** Sealed; what Drift answered, when it was asked. */
  known?: Uint8Array
}

/** An entry in line: its place is larger than that of whoever goes before it in its account. */
export interface Placed extends Entry {
  place: number
}

/** Who claims. */
export interface Holder {
  /** Of a process: unlike that of any other, and of those before it. */
  id: string
  /** The accounts that it is working on in this lane. */
  busy: readonly Org[]
}

export interface Lease {
  org: Org
  lane: Lane
  token: number
  /** Whose it is, where its claim said so. */
  holder?: string
  /** Failures in a row of this lane, for its backoff. */
  failures: number
  /** Leases in a row that ended without a word: what ends them may be among these entries. */
  crashes: number
  /** What troubles the account: this lease is a probe of one entry. */
  trouble?: string
  /** A person asked for this attempt, and waits for what it brings: it takes no more than it was claimed with. */
  asked?: true
  /** In the order in which they are to be sent. */
  entries: Placed[]
}

/** What became of one arrival. */
export type Told = 'stored' | 'duplicate' | 'ignored'

/** A lane that has something due now. */
export interface Woken {
  org: Org
  lane: Lane
}

/** What a claim gives. */
export interface Claimed {
  /** In the order of their turns, at most as many as there was room for. */
  leases: Lease[]
  /** Where there was room for more: when another lane will next have something due for this holder, if one waits for a time. */
  nextDue?: number | undefined
}

/** What became of one entry of a lease. `contact` and `conversation`: what was learnt of it that people search by. */
export type Settlement = Settled &
  (
    | { to: State; reason?: string }
    /** Takes the entry away and counts it. */
    | { to: 'ignored'; reason: IgnoredReason }
  )

interface Settled {
  id: number
  /** `waiting` from the ask lane puts it last in line. */
  to: State | 'ignored'
  at: number
  contact?: string
  conversation?: string
  /** Sealed; kept with the entry from now on. */
  known?: Uint8Array
  answer?: Answer
  /** When to ask again; from the ask lane with `to: 'asking'`. */
  dueAt?: number
}

/** Segment's word on one entry: its HTTP status, how many went with it, and at which try of its account. */
export interface Answer {
  status: number
  batch: number
  tries: number
}

/** How a lease ends: when the lane may be claimed next if entries wait, and what troubles the account, if anything. */
export interface Ending {
  readyAt: number
  failures: number
  /** When something was tried last, and the word for it when it did not go well: shown to people. */
  tried?: { at: number; setback?: string }
  /** Shown to people; while it lasts a claim takes a single entry, as a probe. */
  trouble?: string
  /** The end of a `Retry-After` of the other side: before it no person's wish makes the lane due. */
  retryAfterAt?: number
  /** The work on it failed, and not because of the store: counted as a lease that ended without a word. */
  crashed?: true
}

/** After so many leases in a row that ended without a word, an account is leased, and worked on, by itself. */
export const crashesBeforeAlone = 3

export interface Inbox {
  /**
   * Resolves when the whole batch would survive a power loss, and lies where the next process that opens the store will
   * find it; rejects when none of it is kept there. Before it resolves, `woke` is called with those lanes of the batch that
   * had nothing due so soon, if there are such: in any other the batch is behind what another claim or due time will find.
   */
  append(batch: readonly Arrival[], woke?: (lanes: readonly Woken[]) => void): Promise<Told[]>
  /**
   * Leases the accounts that have waited longest for their turn among those with something due, at most `room` of them, and
   * gives the first entries of each in order: at most `limit` a lease, and no more than `bytesMax` of bodies (one at least).
   *
   * An account whose last three leases in a row ended without a word is leased by itself, and in its turn: a claim gives
   * no other lease with it, and none of those behind it.
   *
   * Three leases in a row that ended without a word make a lane careful: as many entries as these may have held are given
   * out one at a time, until each has ended well or the one is done with whose leases went on ending so.
   *
   * A lease of the `holder` that it does not work on got lost between it and the store: the answer to its claim, or what
   * should have settled it. It is given to the holder at once, under a new token, and that is not counted as a crash.
   * Of an account that it works on it is given nothing, whatever the time, also where another has had the lane meanwhile.
   *
   * With `farAhead` also what is due further ahead than the longest backoff or, for a refused account, the longest time to a probe:
   * a clock wrote that which is ahead, or has been set back since.
   */
  claim(
    lane: Lane,
    options: {
      now: number
      leaseMs: number
      limit: number
      bytesMax: number
      holder?: Holder
      farAhead?: boolean
      /** How many leases at most: 1 to 8. */
      room: number
    },
  ): Promise<Claimed>
  /**
   * The entries that follow a send lease's, behind the place of the last one known and within limits such as a claim's:
   * they are part of the lease from then on, and so are those before that place whose commit came late. None when it is no
   * longer the caller's, nor while the lane's entries are given out one at a time.
   */
  more(lease: Lease, after: number, limits: { limit: number; bytesMax: number }): Promise<Placed[]>
  /** Makes the lease last until then; false when it is no longer the caller's. */
  renew(lease: Lease, until: number): Promise<boolean>
  /** Records all of it or, when the lease is no longer the caller's, nothing and false. `ending` gives the lease back. */
  settle(lease: Lease, settlements: readonly Settlement[], ending?: Ending): Promise<boolean>
  /** When a lane will next have something due for this holder; undefined when nothing waits for a time. */
  nextDue(lane: Lane, holder?: Holder): Promise<number | undefined>
  /** The clock that is `now` was ahead by so much until then: what waits for a later time waits so much less. */
  clockSetBack(byMs: number, now: number): Promise<void>
  /**
   * No lease lasts longer than until then. One that did was taken by a clock that is ahead, or has been set back since;
   * it stays its holder's.
   */
  shortenLeases(until: number): Promise<void>
  /**
   * From now on this lane of the account is not claimed. Its entries stay. Without a reason: nothing holds it any more, and
   * its trouble and backoff are as they were.
   */
  hold(org: Org, lane: Lane, reason: string | undefined): Promise<void>
  /**
   * Ends a hold and forgets trouble and backoff: the lane is claimed as soon as something waits. `asks`: a person wants it,
   * so it is an attempt as `retry` makes one; where that answers `later`, the lane is due at that time.
   */
  resume(org: Org, lane: Lane, now: number, asks?: boolean): Promise<void>
  /**
   * A person wants one attempt of what waits in this lane now: it is due at once, also what waits there for a later time of
   * its own. Hold, trouble and failures stay. The lane is shown as `asked` until the next lease has ended with something
   * tried; where one is under way, that is the attempt.
   */
  retry(org: Org, lane: Lane, now: number): Promise<Asked>
  /**
   * `hold` for some lanes, `resume` for others, in few steps however many they are. A lane that is as it should be is not
   * touched.
   */
  follow(lanes: readonly Following[], now: number): Promise<void>
  /** Those of these accounts that have unclaimed entries. */
  unclaimed(orgs: readonly Org[]): Promise<Org[]>
  /** Unclaimed entries of an account that is installed now wait to be sent; resolves to how many. */
  adopt(org: Org, now: number): Promise<number>
  /** Takes away what has outlived its time, counted as the contract says; resolves to how many entries. */
  expire(limits: Limits): Promise<number>
  /**
   * Takes away every body and entry of an account, some at a time: resolves to how many, 0 when nothing is left. What was
   * not delivered is counted as expired. Every lease of the account ends.
   */
  erase(org: Org): Promise<number>
  /**
   * Takes away these entries of an account, whatever their state; what was not delivered is counted as expired. Every lease
   * of the account ends, none is counted as a crash, and what is left may be claimed at once: a holder may have any of its
   * entries in its memory, and must begin nothing with them when it learns that the lease is not its own any more.
   */
  take(org: Org, ids: readonly number[]): Promise<number>
  /**
   * Dead, quarantined and delivered entries wait again, last in line, under their messageId; the counts follow.
   * Others, such as those that wait anyway, stay as they are. Resolves to how many were moved.
   */
  redrive(moves: readonly Redriven[], now: number): Promise<number>
}

export interface Following {
  org: Org
  lane: Lane
  is: 'resumed' | { held: string | undefined }
}

/**
 * `nothing`: nothing waits there. `later`: before that time nothing is sent, because the other side has asked for it, or
 * because a person has had an attempt in the last ten seconds.
 */
export type Asked =
  | { is: 'asked' }
  | { is: 'nothing' }
  | { is: 'held'; reason: string }
  | { is: 'later'; at: number; why: 'retry_after' | 'just_tried' }

export interface Redriven {
  id: number
  /** Where a webhook that named no readable account or type belongs after all. */
  org?: Org
  type?: string
  /** Translated by this version of the page from now on; by that of its receipt when absent. */
  mapping?: number
}

export interface Limits {
  /** Unclaimed entries received before this, and the oldest beyond `unclaimedBytesMax` in all. */
  unclaimedBefore: number
  unclaimedBytesMax: number
  /** Delivered entries settled before this. */
  deliveredBefore: number
  /** Dead and quarantined entries received before this, but for those with one of the reasons `kept`. */
  failedBefore: number
  kept: readonly string[]
  /** Identities to be forgotten at this moment; not all at once. */
  now: number
  /** Events of a time of their own between this and `now` are remembered still, but for those that came before their time. */
  youngAfter: number
  /** Moments older than this are told by the hour, and older than that not at all. */
  minutesBefore: number
  hoursBefore: number
}

export interface Total {
  org: Org
  type: string
  outcome: Outcome
  /** Of what is ignored, and of nothing else. */
  reason?: IgnoredReason
  count: number
}

export interface Standing {
  org: Org
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

/** An entry as people look at it: everything but what is sealed. */
export interface Shown extends Omit<Entry, 'body' | 'known'> {
  /** Its own reason or, while it waits, what holds or troubles its lane. */
  reason?: string
  /** When Drift is asked again. */
  dueAt?: number
  settledAt?: number
  answer?: Answer
  bodyBytes: number
}

/** What is not given does not matter. Times are of the receipt, `from` included, `to` not. */
export interface Query {
  org?: Org
  message?: string
  contact?: string
  conversation?: string
  type?: string
  states?: readonly State[]
  reason?: string
  from?: number
  to?: number
}

/** Where a list goes on: below this entry. */
export interface Cursor {
  receivedAt: number
  id: number
}

export interface LaneShown {
  lane: Lane
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
  /** Newest first, at most `limit`. One call looks at a bounded number of entries: with `next` there may be more. */
  find(query: Query, page: { before?: Cursor; limit: number }): Promise<{ entries: Shown[]; next?: Cursor }>
  /** One entry with what is sealed of it. */
  read(id: number): Promise<(Shown & Pick<Entry, 'body' | 'known'>) | undefined>
  lanes(org: Org): Promise<LaneShown[]>
  /** When the entry that came last was received, by the clock of that moment; undefined in an empty store. */
  lastReceivedAt(): Promise<number | undefined>
}

/** Who did what, in plain words and ids: never anything secret. */
export interface Deed {
  at: number
  org: Org
  who: string
  what: string
  about?: string
}

export interface Audit {
  add(deed: Deed): Promise<void>
  /** An account's deeds, newest first. */
  list(org: Org, limit: number): Promise<Deed[]>
}

export type InstallState = 'waiting_for_key' | 'live' | 'paused' | 'needs_attention' | 'disconnected'

export interface Install {
  org: Org
  state: InstallState
  /** Why it needs attention, in a word of docs/errors.md. */
  reason?: string
  /** What it has chosen, as one JSON text that an engine keeps as it is. */
  settings: string
  /** Not stored: DRIFT_ORG_IDS_ALLOWED is set and does not list it, so nothing of it is sent. */
  notAllowed?: true
  /** Not stored: this version cannot read its settings, so nothing of it is sent and no option is changed. */
  unreadable?: true
  /** Sealed. */
  grant?: Uint8Array
  /** Sealed. */
  writeKey?: Uint8Array
  /** When the grant must be refreshed at the latest. */
  refreshAt?: number
  createdAt: number
  updatedAt: number
  /** Grows by one with every save: the number that a save must name. */
  generation: number
}

export interface Installs {
  get(org: Org): Promise<Install | undefined>
  list(): Promise<Install[]>
  /**
   * Keeps it as generation + 1 if `generation` is still the stored one (0: none is stored); else false. `entry` is added to
   * the audit in the same moment: both are kept, or neither.
   */
  save(install: Install, entry?: Deed): Promise<boolean>
  /**
   * Lets one caller at a time, in whichever process, do what may be done once only: false while another has it. One that
   * ends more than a minute after this one would was made by a clock that has been set back since, and is over.
   */
  reserve(reservation: Reservation, now: number): Promise<boolean>
  /** Lets the next one in before the time is up. Nothing happens when it is somebody else's by now. */
  release(reservation: Reservation): Promise<void>
}

export interface Reservation {
  org: Org
  /** Whose it is, unlike any other's. */
  holder: string
  until: number
}

/** Small named values, such as wrapped keys. */
export interface Vault {
  read(name: string): Promise<Uint8Array | undefined>
  /** Keeps the value if the name is free; resolves to what is kept under it, so the first writer wins. */
  create(name: string, value: Uint8Array): Promise<Uint8Array>
  /** Keeps the value instead of the one there; false, and nothing kept, when there is none. */
  replace(name: string, value: Uint8Array): Promise<boolean>
  list(prefix: string): Promise<{ name: string; value: Uint8Array }[]>
  remove(prefix: string): Promise<void>
}

/** Whose conversation it is: that never changes, so it is remembered for good. */
export interface Conversations {
  recall(org: Org, conversations: readonly string[]): Promise<Map<string, string>>
  /** With a lease: only while it is its holder's, since what the holder knows may have been taken away with it. */
  remember(org: Org, contactOf: ReadonlyMap<string, string>, lease?: Lease): Promise<void>
  /** The conversations known to be this contact's. */
  of(org: Org, contact: string): Promise<string[]>
  forget(org: Org, contact: string): Promise<void>
}

/** Something short-lived that a browser holds: a session, a link to sign in, or an OAuth state that was used. */
export interface Ticket {
  kind: 'session' | 'link' | 'state'
  /** A digest of what its holder presents; that itself is kept nowhere. */
  id: string
  /** Whom it is for; '' for a state. */
  org: Org
  /** Who its holder is, in words for the audit. */
  who: string
  /** When it was made: of a session, when its holder proved to be an admin. */
  at: number
  /** From then on it is as if it were not there, as it is more than a minute before `at`. */
  until: number
}

type Named = Pick<Ticket, 'kind' | 'id'>

export interface Tickets {
  /** Keeps it; not if there has been one of this kind and id, nor if `max` of the kind are there at its `at`. */
  issue(ticket: Ticket, max?: number): Promise<'issued' | 'there' | 'full'>
  get(ticket: Named, now: number): Promise<Ticket | undefined>
  /**
   * Gives it to one caller only, however many ask at once, and takes it away. In the same moment `successor` takes its
   * place, so that revoking first the one kind and then the other leaves neither.
   */
  redeem(ticket: Named, now: number, successor?: Ticket): Promise<Ticket | undefined>
  /** Makes it last until then; false when it is not there. */
  extend(ticket: Named, until: number): Promise<boolean>
  /** Takes away all of this kind that an account has or, where none is named, that there are; resolves to them. */
  revoke(kind: Ticket['kind'], org?: Org): Promise<Ticket[]>
  /** Takes away what has run out; resolves to how many. */
  sweep(now: number): Promise<number>
}

/**
 * `done`: nothing of what was erased can be read in the engine's files. `log_held`: the log still has it, while another
 * process reads an older state. `compact`: a copy may lie in the file until that is rewritten.
 */
export type Purged = 'done' | 'log_held' | 'compact'

export interface Storage {
  inbox: Inbox
  ledger: Ledger
  installs: Installs
  vault: Vault
  conversations: Conversations
  lookup: Lookup
  audit: Audit
  tickets: Tickets
  jobs: Jobs
  /** Calls back within a second of another process having changed this account or, where none is named, anything. */
  onChange(listener: (org: Org | undefined) => void): void
  /** Calls back when another process may have put something in line. What `onChange` tells is not told here again. */
  onDue(listener: () => void): void
  /** Whether a service works on this store, in whichever process: one that calls `onChange`. */
  isServed(): Promise<boolean>
  /** Resolves when the store has stopped working for good: nothing can be promised any more. Never after `close`. */
  broken: Promise<Error>
  /** Rejects when the store cannot be written. */
  check(): Promise<void>
  /**
   * Takes what was erased out of where the engine still has it beside its rows. What it could not do yet is done by a later
   * call, after a crash too. Does nothing when nothing was erased since, and no log has grown long.
   */
  purge(): Promise<Purged>
  /** Bytes of the log beside the store's file, which grows while someone reads an older state; 0 where there is none. */
  logBytes(): Promise<number>
  /** Writes a consistent copy to a path that is free, while everything goes on. */
  backup(path: string): Promise<void>
  /** Reads all of it and names what is damaged; nothing when it is sound. */
  examine(): Promise<string[]>
  /** What weakens the promise, of a 200 or of an erasing, though nothing is damaged; nothing when all is well. */
  risks(): Promise<Risk[]>
  close(): Promise<void>
}

/** With so many bytes free beside its file, an SQLite store that met the full disk accepts again: twice its reserve. */
export const roomMinBytes = 32 * 1024 * 1024

/**
 * `setting_off`: a setting of the server's without which a commit does not outlive a power loss. `index_not_valid`: the
 * server does not use this index. `standbys`: this many
 * follow, and no commit waits for one, so that a failover loses the last commits. `erase_pending`: what `purge` has not
 * done yet. `log_long`: something has read an older state for so long that the log has grown.
 */
export type Risk =
  | { is: 'setting_off'; setting: string }
  | { is: 'index_not_valid'; index: string }
  | { is: 'standbys'; standbys: number }
  | { is: 'erase_pending'; purged: Exclude<Purged, 'done'> }
  | { is: 'log_long'; bytes: number }

/**
 * `serve`: a service; where the engine is made for one process only, a second is refused. `beside`: the command line, at
 * any time; it is refused when the store does not exist, so that a mistyped path does not look like an empty one.
 * `create`: as `beside`, and makes a store that does not exist.
 */
export type Mode = 'serve' | 'beside' | 'create'
