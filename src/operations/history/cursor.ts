/** Where a job is in Drift's lists: all that another process must know to go on. */
import { canonical, type JsonObject, readText } from '../../lib/json.ts'
import type { Counts } from '../jobs.ts'
import type { HistoryOfDrift } from './ask.ts'
import type { ConversationPlace } from './read.ts'

export interface Cursor {
  phase: 'conversations' | 'meetings'
  /** How often the list was read already: it shifts while it is read, so it is read until nothing new comes. */
  pass: number
  startedAt: number
  passStartedAt: number
  updatedFrom: number
  place: ConversationPlace
  /** Drift gives positions, so whatever moves moves the rest: the whole list is read again. */
  byPosition: boolean
  newInPass: number
  /** When the last pages of the first reading were done, and how many records had been read by then; the oldest first. */
  lately: readonly { at: number; looked: number }[]
  /** As of the beginning of the page: a page that is begun again is counted again. */
  counts: Counts
  /** What had been counted as backfilled when the job began, by type. */
  before: Counts
  pace: ReturnType<HistoryOfDrift['pace']>
}

/** So many readings of one list at most: what moves all the time is found by the next job, or has come by a webhook. */
const passesMax = 5
/** Clocks of Drift and of this service may differ by so much. */
const clocksMs = 3_600_000

/** When a list has been read: read it again, or go on to meetings. A dry run reads it once. */
export function afterList(cursor: Cursor, now: number, dryRun: boolean): Cursor {
  const goesOn = !dryRun && (cursor.pass === 0 || cursor.newInPass > 0) && cursor.pass + 1 < passesMax
  return {
    ...cursor,
    ...(goesOn ? {} : { phase: 'meetings' as const }),
    pass: goesOn ? cursor.pass + 1 : 0,
    passStartedAt: now,
    // What was updated while the list was read stands at its top now.
    updatedFrom: cursor.byPosition ? cursor.updatedFrom : Math.max(cursor.updatedFrom, cursor.passStartedAt - clocksMs),
    place: {},
    newInPass: 0,
    lately: [],
  }
}

export function written(cursor: Cursor, { pace }: Pick<HistoryOfDrift, 'pace'>): string {
  return canonical({ ...cursor, pace: pace() } as unknown as JsonObject)
}

/** Of a text that `written` made: nothing else writes one. */
export function cursorIn(text: string): Cursor {
  const reading = readText(text)
  return (reading.ok ? reading.value : {}) as unknown as Cursor
}
