/** What is known of an account, and the status that follows from it: see status.ts. */
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import type { Rights } from './remedies.ts'
import type { Action } from './ui/actions.ts'
import type { Level } from './ui/vocabulary.ts'

export const statusWords = [
  'Setup incomplete',
  'Waiting for the first event',
  'Working',
  'Delayed',
  'Paused',
  'Stopped',
  'Disconnecting',
] as const
export type StatusWord = (typeof statusWords)[number]

/** What a connection, a pause, a choice or a departure has in the audit: when it was. */
export interface Since {
  /** For the first time, or after it had disconnected. */
  connected?: number | undefined
  paused?: number | undefined
  choseEvents?: number | undefined
  leaving?: number | undefined
  gone?: number | undefined
}

/** What is known of a destination. */
export interface DestinationFacts {
  /** Events that wait to be sent: without a reason against it, and held or refused. */
  queued: number
  blocked: number
  /** When the first of them was received. */
  oldestAt?: number | undefined
  /** Events that went wrong within a day, and why is for their own pages to say. */
  wrong: { failed: number; notRecognized: number }
  everDelivered: boolean
  lastDeliveredAt?: number | undefined
  /** An admin has seen the test event of this write key there. */
  isConfirmed: boolean
}

/** Of an account. What is said of a destination is said of its first one. */
export interface Facts extends Rights, DestinationFacts {
  now: number
  install: Install | undefined
  lanes: readonly LaneShown[]
  /** Events to be looked up. */
  lookingUp: number
  oldestLookupAt?: number | undefined
  everReceived: boolean
  lastReceivedAt?: number | undefined
  /** Nothing has come for much longer than usual. */
  isSilent: boolean
  /** Its other destinations, by number. */
  others?: ReadonlyMap<number, DestinationFacts>
  /** Every type of event is switched off. */
  isAllOff: boolean
  since: Since
  /** Where Drift shows the apps of an account. */
  appsUrl: string
}

export interface Status {
  word: StatusWord
  level: Level
  title: string
  says: string
  /** Since when it is so, where that is known. */
  since?: number | undefined
  /** What it does to events, in numbers; `at`: since when. */
  effect?: { says: string; at?: number | undefined } | undefined
  /** When it is tried again by itself. */
  nextAt?: number | undefined
  /** The one thing to do, if there is one. It is a button or a link on this page. */
  action?: Action | undefined
  /** For the operator. */
  code?: string | undefined
}
