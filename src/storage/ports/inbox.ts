/**
 * What every storage engine promises of events: keeping, handing out, settling and taking away. Storage keeps bytes:
 * whatever is secret or personal reaches it sealed.
 *
 * The conformance suite holds every engine to the sentences below. All times are milliseconds since 1970 and come from the
 * caller; an engine has no clock of its own.
 */
import type {
  Appended,
  Arrival,
  Attempt,
  Body,
  Destination,
  Given,
  IgnoredReason,
  Lane,
  LaneKey,
  NewBody,
  Org,
  State,
} from './entry.ts'
import type { JobHeld, JobStep } from './jobs.ts'

/** Who claims. */
export interface Holder {
  /** Of a process: unlike that of any other, and of those before it. */
  id: string
  /** The lanes that it is working on. */
  busy: readonly LaneKey[]
}

export interface Lease extends LaneKey, Given {
  token: number
  /** Whose it is, where its claim said so. */
  holder?: string
  /** Failures in a row of this lane, for its backoff. */
  failures: number
  /** Leases in a row that ended without a word: what ends them may be among these entries. */
  crashes: number
  /** Why the destination, or Drift, refuses the account: this lease is a probe of one entry. */
  blocked?: string
  /** A person asked for this attempt, and waits for what it brings: it takes no more than it was claimed with. */
  asked?: true
}

/** What became of one entry of a lease. `contact` and `conversation`: what was learnt of it that people search by. */
export type Settlement = Settled &
  (
    | { to: Exclude<State, 'unclaimed'>; reason?: string }
    /** Ignored here, and where that is so everywhere, the entry goes. */
    | { to: 'ignored'; reason: IgnoredReason }
    /** It stays where it is, such as after an attempt that has failed. */
    | { to: 'same' }
  )

interface Settled {
  id: number
  /** `waiting` from a lane that asks puts it last in the queue; from one that sends it is as `same`. */
  to: Exclude<State, 'unclaimed'> | 'ignored' | 'same'
  at: number
  contact?: string
  conversation?: string
  /** Sealed; kept with the entry from now on: at the destination of a lease that sends for this one alone. */
  known?: Uint8Array
  /** The request that had it. Settlements with the very same object had one request. */
  attempt?: Attempt
  /** Requests that had it before that one in this lease, and did not end well: oldest first. */
  earlier?: readonly Attempt[]
  /** When to look up again; from the ask lane with `to: 'asking'`. */
  dueAt?: number
}

/**
 * How a lease ends: when the lane may be claimed next if entries wait, and what blocks it, if anything. Without failures and
 * crashes, and where nothing blocks it, what arrives makes it ready at once, but not within a Retry-After.
 */
export interface Ending {
  readyAt: number
  failures: number
  /** When something was tried last, and the word for it when it did not go well: shown to people. */
  tried?: { at: number; lastError?: string }
  /** Shown to people; while it lasts a claim takes a single entry, as a probe. */
  blocked?: string
  /** The end of a `Retry-After` of the other side: before it no person's wish makes the lane due. */
  retryAfterAt?: number
  /** The work on it failed, and not because of the store: counted as a lease that ended without a word. */
  crashed?: true
}

export interface ClaimOptions {
  now: number
  leaseMs: number
  /** Entries of one lease at most, and bytes of bodies that are read for it; one entry at least. */
  limit: number
  bytesMax: number
  holder?: Holder
  /**
   * Also what is due further ahead than the longest backoff or, for a refused account, the longest time to a probe: a clock
   * wrote that which is ahead, or has been set back since.
   */
  farAhead?: boolean
  /** How many leases at most: 1 to 8. */
  room: number
  /**
   * The holder asks because leases of its own have ended, all of them settled, and knows of nothing else: an engine that
   * knows when something is due may say so without a look.
   */
  onlyEnded?: boolean
}

/** What a claim gives. */
export interface Claimed {
  /** In the order of their turns, at most as many as there was room for. */
  leases: Lease[]
  /** Where there was room for more: when another lane will next have something due for this holder, if one waits for a time. */
  nextDue?: number | undefined
}

/** After so many leases in a row that ended without a word, a lane is leased, and worked on, by itself. */
export const crashesBeforeAlone = 3

export interface Inbox {
  /**
   * Resolves when the whole batch would survive a power loss, and lies where the next process that opens the store will
   * find it; rejects when none of it is kept there. What waits is queued for each destination that its account has at that
   * moment.
   */
  append(bodies: readonly NewBody[], arrivals: readonly Arrival[]): Promise<Appended>
  /**
   * Leases the lanes that have waited longest for their turn among those with something due, at most `room` of them, and
   * gives the first entries of each in order.
   *
   * A lane whose last three leases in a row ended without a word is leased by itself, and in its turn: a claim gives no
   * other lease with it, and none of those behind it.
   *
   * Three leases in a row that ended without a word isolate a lane's entries: as many as these leases may have held are
   * given out one at a time, until each has ended well or the one is done with whose leases went on ending so.
   *
   * A lease of the `holder` that it does not work on got lost between it and the store: the answer to its claim, or what
   * should have settled it. It is given to the holder at once, under a new token, and that is not counted as a crash.
   * Of a lane that it works on it is given nothing, whatever the time, also where another has had the lane meanwhile.
   */
  claim(lane: Lane, options: ClaimOptions): Promise<Claimed>
  /**
   * The entries that follow a send lease's, behind the place of the last one known and within limits such as a claim's:
   * they are part of the lease from then on, and so are those before that place whose commit came late. None when the lease
   * is no longer the caller's, nor while the lane's entries are given out one at a time.
   */
  more(lease: Lease, after: number, limits: { limit: number; bytesMax: number }): Promise<Given>
  /** Makes the lease last until then; false when the caller does not have it any more. */
  renew(lease: Lease, until: number): Promise<boolean>
  /**
   * Records all of it or, when the lease is no longer the caller's, nothing and false. Entries that are not in the lane any
   * more stay as they are. `ending` gives the lease back.
   */
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
   * From now on this lane is not claimed. Its entries stay. Without a reason: nothing holds it any more, and what blocks it
   * and its backoff are as they were.
   */
  hold(lane: LaneKey, reason: string | undefined): Promise<void>
  /**
   * Ends a hold and forgets what blocked the lane and its backoff: it is claimed as soon as something waits. `asks`: a person wants it,
   * so it is an attempt as `retry` makes one; where that answers `later`, the lane is due at that time.
   */
  resume(lane: LaneKey, now: number, asks?: boolean): Promise<void>
  /**
   * A person wants one attempt of what waits in this lane now: it is due at once, also what waits there for a later time of
   * its own. The hold, what blocks it and its failures stay. The lane is shown as `asked` until the next lease has ended with something
   * tried; where one is under way, that is the attempt.
   */
  retry(lane: LaneKey, now: number): Promise<Asked>
  /**
   * `hold` for some lanes, `resume` for others, in few steps however many they are. A lane that is as it should be is not
   * touched.
   */
  follow(lanes: readonly Following[], now: number): Promise<void>
  /** Gives a destination what is received from now on. Nothing when the account has had one of this number. */
  addDestination(org: Org, destination: Destination): Promise<void>
  /** What waits for it is counted as expired there, its lease ends, and which natural keys it has had is forgotten. */
  removeDestination(org: Org, destination: Destination, now: number): Promise<void>
  /** Numbers of the destinations that an account has. */
  destinations(org: Org): Promise<Destination[]>
  /** Of each of these natural keys, the destinations that have had an event with it; 0 among them: its person was erased. */
  occurred(org: Org, keys: readonly Uint8Array[]): Promise<Destination[][]>
  /**
   * Remembers that these keys are of erased persons or, with `undo`, forgets it. When it has resolved, nothing of these
   * persons that names them by `person` is kept any more, and what was kept before is there to be found.
   */
  markErased(org: Org, keys: readonly Uint8Array[], undo?: 'undo'): Promise<void>
  /** Those of every account. */
  allDestinations(): Promise<{ org: Org; destination: Destination }[]>
  /** Those of these accounts that have entries from before they were installed. */
  waitingForInstall(orgs: readonly Org[]): Promise<Org[]>
  /**
   * An account that is installed now claims its entries from before that: they wait for each of its destinations; resolves
   * to how many. One whose natural key each of them has had goes, and is counted as a duplicate.
   */
  claimOnInstall(org: Org, now: number): Promise<number>
  /** Takes away what has outlived its time, counted as docs/states.md says, some of it at a time. */
  expire(limits: Limits): Promise<Expired>
  /**
   * Takes away every body and entry of an account, and the natural keys, some at a time: resolves to how many, 0 when
   * nothing is left. Its destinations stay. What was not delivered is counted as expired. Every lease of the account ends.
   */
  erase(org: Org): Promise<number>
  /**
   * Takes away these entries of an account, whatever their state; what was not delivered is counted as expired. Every lease
   * of the account ends, none is counted as a crash, and what is left may be claimed at once: a holder may have any of its
   * entries in its memory, and must begin nothing with them when it learns that the lease is not its own any more. Texts of
   * theirs are in bodies still, which are marked: see `marked`.
   */
  take(org: Org, ids: readonly number[]): Promise<number>
  /** Bodies that have texts of events that were taken away, those of one account where it is named. */
  marked(limit: number, org?: Org): Promise<Marked[]>
  /** Keeps the body sealed again with the texts at these positions alone; false when it was changed, or marked again, since. */
  rewrite(body: Pick<Marked, 'id' | 'version' | 'positions'>, sealed: Uint8Array): Promise<boolean>
  /** Takes away a body that does not open; its entries are quarantined with this reason where they are not final. */
  drop(body: Pick<Marked, 'id' | 'version'>, why: { reason: string; now: number }): Promise<boolean>
  /**
   * Dead, quarantined, ignored and delivered entries wait again, and where a destination is named those that it never had,
   * last in the queue of a destination, under their messageId; the counts follow. Others, such as those that wait anyway, stay as they are. Resolves to how many were moved. `who`
   * wanted it, in words: kept in the history of each.
   */
  redrive(moves: readonly Redriven[], now: number, who: string): Promise<number>
  /**
   * The same as one step of a job, by who wanted that: what is moved and how far the job is are one write, so nothing is moved
   * twice. The number `moved` in its counts grows by those that were moved. Nothing is moved when the job is not the caller's
   * any more.
   */
  redriveStep(moves: readonly Redriven[], now: number, step: JobStep): Promise<{ moved: number; job: JobHeld }>
  /**
   * Gives other mappings to entries that wait in this lane for a destination and were never given to a sender there, some at
   * a time. While a lane that sends is leased, nothing: its holder may have any of them in hand.
   */
  remap(lane: LaneKey, remapping: Remapping): Promise<Remapped>
}

export interface Remapping {
  destination: Destination
  moves: readonly { from: number; to: number }[]
  /** Where the last call has ended; 0 for the first. */
  after: number
}

/** `given`: so many had been given to a sender, and stay as they are. `after`: there may be more behind that. */
export type Remapped = { is: 'leased' } | { is: 'done'; changed: number; given: number; after?: number }

export interface Expired {
  /** So many entries, or what was left of them at a destination. */
  removed: number
  /** There may be more to take away now. */
  goesOn: boolean
}

export interface Marked extends Body {
  org: Org
  /** Of the events that are still there, in order. */
  positions: number[]
}

export interface Following extends LaneKey {
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
  /**
   * Every destination of the account that has had it when absent. One that is named gets it also where it never had it, such
   * as what was received before the destination was added.
   */
  destination?: Destination
  /** Where a webhook that named no readable account or type belongs after all. */
  org?: Org
  type?: string
  /**
   * Translated by this version from now on, at these destinations, and what they have noted of it is forgotten; by the one it
   * had there when absent.
   */
  mapping?: number
  /**
   * Its natural key: a destination that never had the event gets it only where it had none with this key, and has one from
   * then on.
   */
  once?: Uint8Array
  /** Where it was delivered, it is sent under a messageId that the destination has not seen: see `sending` of an entry. */
  asNew?: true
}

export interface Limits {
  /** Entries of accounts that are not installed: those received before this, and the oldest beyond `notInstalledBytesMax` in all. */
  notInstalledBefore: number
  notInstalledBytesMax: number
  /** Entries that are final at each destination, settled before this. */
  deliveredBefore: number
  /** Dead and quarantined entries received before this, but for those with one of the reasons `kept`. */
  failedBefore: number
  kept: readonly string[]
  /** Identities whose time has come are forgotten; not all at once. */
  now: number
  /** Events of a time of their own between this and `now` are remembered still, but for those that came before their time. */
  youngAfter: number
  /** Time buckets older than this are made hours of, and those older than that are deleted. */
  minutesBefore: number
  hoursBefore: number
}
