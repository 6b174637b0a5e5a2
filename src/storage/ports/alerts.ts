/**
 * What is stored for alerts: where each account wants them, what was announced, and every message with the answer to it. As in the inbox, all times come from the caller, and only the holder of a lease may settle a message.
 */
import type { AuditEntry } from './accounts.ts'
import type { Org } from './entry.ts'

/** How a message travels. */
export type Channel = 'webhook' | 'slack' | 'email'

/** Where an account wants its alerts. */
export interface AlertRecipient {
  org: Org
  id: string
  channel: Channel
  /** Sealed: the address is a secret. */
  sealed: Uint8Array
  createdAt: number
  /** Since when it may be used; absent until its owner has confirmed it. */
  confirmedAt?: number
}

/** What was announced of an account, as one text that an engine keeps as it is. '' as the account: to the operator. */
export interface AlertWatch {
  org: Org
  state: string
  /** Grows by one with every move, which must name it; 0 where nothing is stored. */
  generation: number
}

/** `alert`: in order within its recipient. `test` and `confirm` wait for no other and keep none waiting. */
export type MessageKind = 'alert' | 'test' | 'confirm'

export interface NewMessage {
  /** Made by the caller: given twice, it is one message. */
  id: string
  /** '' for the operator, who has one recipient, ''. */
  org: Org
  recipient: string
  channel: Channel
  kind: MessageKind
  /** Its content, as a text that an engine keeps as it is: nothing secret, nothing personal. */
  body: string
  createdAt: number
}

/** The answer to an attempt: an HTTP status, or SMTP's; 0 and a code where there was none. */
export interface AlertAttempt {
  at: number
  ms: number
  status: number
  answer?: string
}

/** `removed`: its recipient was removed before it was sent. */
export type MessageEnd = 'sent' | 'failed' | 'removed'

export interface Message extends NewMessage {
  /** Attempts that have ended. */
  tries: number
  /** The last of them. */
  last?: AlertAttempt
  /** When it is tried next; absent when it has ended. */
  dueAt?: number
  end?: MessageEnd
  endedAt?: number
}

export interface MessageLease {
  message: Message
  token: number
}

/** When it is tried again, or how it ended; from `keepUntil` on `sweep` may delete it. */
export type MessageOutcome =
  | { is: 'later'; attempt: AlertAttempt; dueAt: number }
  | { is: 'ended'; attempt: AlertAttempt; end: Exclude<MessageEnd, 'removed'>; keepUntil: number }

export interface Alerts {
  /** Of one account or, where none is named, all; the oldest first. */
  recipients(org?: Org): Promise<AlertRecipient[]>
  /** Keeps it with its entry in the audit; not when the account has so many in all, or so many of its channel. */
  addRecipient(
    recipient: AlertRecipient,
    most: { recipients: number; ofChannel: number },
    entry: AuditEntry,
  ): Promise<'added' | 'full'>
  /** It may be used from now on, with the entry in the audit; false when it is not there, or was confirmed before. */
  confirmRecipient(recipient: Pick<AlertRecipient, 'org' | 'id'>, now: number, entry: AuditEntry): Promise<boolean>
  /** Removes it, with the entry in the audit, and ends what waits for it. False when it is not there. */
  removeRecipient(
    recipient: Pick<AlertRecipient, 'org' | 'id'>,
    ended: { at: number; keepUntil: number },
    entry: AuditEntry,
  ): Promise<boolean>
  /** What was announced of every account, and to the operator. */
  watches(): Promise<AlertWatch[]>
  /** Stores what is announced now and its messages, if `generation` is still the stored one; else nothing, and false. */
  move(watch: AlertWatch, messages: readonly NewMessage[]): Promise<boolean>
  /**
   * Keeps one message by itself. `there`: one of this id was made before. `too_soon`: the account had one of its kind at or
   * after `unlessSince`.
   */
  create(message: NewMessage, unlessSince?: number): Promise<'created' | 'there' | 'too_soon'>
  /**
   * Leases a message that is due, until then: the one due longest, each recipient's alerts in the order in which they were made. A
   * lease that ends more than a minute later than this one was made by a clock that is ahead, and is over. An account that
   * has had, or is being sent, so many messages of `limit.channel` since then is given no more of them.
   */
  claim(
    now: number,
    until: number,
    limit: { channel: Channel; since: number; most: number },
  ): Promise<MessageLease | undefined>
  /** Stores the answer and gives the lease back; false, and nothing stored, when the lease is not the caller's any more. */
  settle(lease: MessageLease, outcome: MessageOutcome): Promise<boolean>
  get(id: string): Promise<Message | undefined>
  /** The newest first. */
  list(org: Org, limit: number): Promise<Message[]>
  /** Deletes the ended ones whose time is over; resolves to how many. */
  sweep(now: number): Promise<number>
  /** Deletes all of an account. */
  erase(org: Org): Promise<void>
}
