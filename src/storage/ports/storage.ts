/**
 * What every storage engine promises. Storage keeps bytes: whatever is secret or personal reaches it sealed.
 *
 * One conformance suite (conformance-promises.ts) holds every engine to the sentences below. All times are milliseconds since
 * 1970 and come from the caller; an engine has no clock of its own.
 */
import type { Audit, Conversations, Installs, Vault } from './accounts.ts'
import type { Alerts } from './alerts.ts'
import type { Org } from './entry.ts'
import type { Inbox } from './inbox.ts'
import type { Jobs } from './jobs.ts'
import type { Ledger, Lookup } from './lookup.ts'
import type { Tickets } from './sessions.ts'

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
  alerts: Alerts
  /** Calls back within a second of another process having changed this account or, where none is named, anything. */
  onChange(listener: (org: Org | undefined) => void): void
  /** Calls back when another process may have queued something. What `onChange` reports is not reported here again. */
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
