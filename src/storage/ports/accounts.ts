/** What is kept of an account: its install, its audit, its keys, and whose conversations are whose. */
import type { Org } from './entry.ts'
import type { Lease } from './inbox.ts'

/** Who did what, in plain words and ids: never anything secret. */
export interface AuditEntry {
  at: number
  org: Org
  who: string
  what: string
  about?: string
}

export interface Audit {
  add(auditEntry: AuditEntry): Promise<void>
  /** An account's auditEntries, newest first: all, or those that `only` names. */
  list(org: Org, limit: number, only?: AuditFilter): Promise<AuditEntry[]>
}

/** What is not given does not matter; `from` included, `to` not. */
export interface AuditFilter {
  what?: readonly string[]
  from?: number
  to?: number
}

/** Of the account with all its destinations: src/accounts/state.ts says which. */
export type InstallState = 'waiting_for_key' | 'live' | 'paused' | 'needs_attention' | 'disconnected'

export interface Install {
  org: Org
  state: InstallState
  /** Why Drift refuses it, or that it may have left, in a word of docs/errors.md; what a destination refuses is said there. */
  reason?: string
  /** What it has chosen, as one JSON text that an engine keeps as it is. */
  settings: string
  /** Not stored: DRIFT_ORG_IDS_ALLOWED is set and does not list it, so nothing of it is sent. */
  notAllowed?: true
  /** Not stored: this version cannot read its settings, so nothing of it is sent and no option is changed. */
  unreadable?: true
  /** Not stored: endpoints of its destinations that DESTINATION_ENDPOINTS does not list, so nothing is sent there. */
  unlisted?: readonly string[]
  /** Sealed. */
  grant?: Uint8Array
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
   * the audit in the same transaction, and the values of these names leave the vault: all of it happens, or nothing. An
   * account that has no destination gets one in it, of the first number that it has not had.
   */
  save(install: Install, entry?: AuditEntry, forgets?: readonly string[]): Promise<boolean>
  /**
   * Lets one caller at a time, in whichever process, do what may be done once only: false while another has it. One that
   * ends more than a minute after this one would was made by a clock that has been set back since, and is over.
   */
  reserve(reservation: Reservation, now: number): Promise<boolean>
  /** Lets the next one in before the time is up. Nothing happens when another caller has it by now. */
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
