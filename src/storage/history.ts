/**
 * What became of an entry at each destination, as bytes in its row: nine for each attempt. Its last final outcome for each
 * destination is never left out, nor what has ended that since; of the other attempts the first five and the last twenty are
 * kept, and how many were not.
 */
import { type Destination, type IgnoredReason, isKeptReason } from './ports/entry.ts'
import type { HistoryOutcome } from './ports/lookup.ts'

/** By their numbers in the bytes. */
const outcomes: readonly HistoryOutcome[] = [
  'delivered',
  'ignored',
  'dead',
  'quarantined',
  'later',
  'resent',
  'filtered',
  'no_consent',
  'answered',
]

export interface Noted {
  destination: Destination
  outcome: HistoryOutcome
  /** The attempt's id; 0 where there was none. */
  attempt: number
}

const bytesEach = 9
const leftOut = 255
const [firstKept, lastKept] = [5, 20]
/** A history of more bytes than this is worth shortening. */
export const historyBytesMax = (firstKept + lastKept + 15) * bytesEach

export interface History {
  noted: Noted[]
  /** How many attempts are not among them any more; they stood behind the first five. */
  leftOut: number
}

export function noteOf({ destination, outcome, attempt }: Noted): Buffer {
  const bytes = Buffer.alloc(bytesEach)
  bytes.writeUInt16BE(destination, 0)
  bytes.writeUInt8(outcomes.indexOf(outcome), 2)
  bytes.writeUIntBE(attempt, 3, 6)
  return bytes
}

export function historyOf(log: Uint8Array | null | undefined): History {
  const history: History = { noted: [], leftOut: 0 }
  if (!log) return history
  for (let at = 0; at + bytesEach <= log.length; at += bytesEach) {
    if (log[at + 2] === leftOut) history.leftOut += attemptAt(log, at)
    else history.noted.push(notedAt(log, at))
  }
  return history
}

function notedAt(log: Uint8Array, at: number): Noted {
  return { destination: destinationAt(log, at), outcome: outcomes[log[at + 2]!]!, attempt: attemptAt(log, at) }
}

function destinationAt(log: Uint8Array, at: number): Destination {
  return log[at]! * 2 ** 8 + log[at + 1]!
}

function attemptAt(log: Uint8Array, at: number): number {
  let attempt = 0
  for (let byte = at + 3; byte < at + bytesEach; byte++) attempt = attempt * 2 ** 8 + log[byte]!
  return attempt
}

/** As it is shown to people: a run that is not shortened yet looks no longer than one that is. */
export function historyTold(log: Uint8Array | null | undefined): History {
  return historyOf(log && log.length > (firstKept + lastKept) * bytesEach ? shortened(log).bytes : log)
}

/** The same history in as few bytes as it may have, and the attempts that it does not name any more, each once. */
export function shortened(log: Uint8Array): { bytes: Buffer; leftOut: number[] } {
  const { noted, leftOut: before } = historyOf(log)
  const last = (is: (outcome: HistoryOutcome) => boolean) =>
    new Map(noted.flatMap((note, at) => (is(note.outcome) ? [[note.destination, at] as const] : []))).values()
  const told = new Set([...last(isFinal), ...last(ends)])
  const isKept = (_: Noted, at: number) => at < firstKept || at >= noted.length - lastKept || told.has(at)
  const kept = noted.filter(isKept)
  const named = new Set(kept.map(({ attempt }) => attempt))
  const gone = new Set(noted.map(({ attempt }) => attempt).filter((attempt) => attempt > 0 && !named.has(attempt)))
  const count = noteOf({ destination: 0, outcome: 'later', attempt: before + noted.length - kept.length })
  count.writeUInt8(leftOut, 2)
  const bytes = Buffer.concat([...kept.slice(0, firstKept).map(noteOf), count, ...kept.slice(firstKept).map(noteOf)])
  return { bytes, leftOut: [...gone] }
}

/** What came before at this destination holds no longer. */
function ends(outcome: HistoryOutcome): boolean {
  return isFinal(outcome) || outcome === 'dead' || outcome === 'quarantined' || outcome === 'resent'
}

function isFinal(outcome: HistoryOutcome): boolean {
  return outcome === 'delivered' || outcome === 'ignored' || isKeptReason(outcome)
}

/** Whether a sender has had it for this destination. */
export function wasTried(log: Uint8Array | null | undefined, destination: Destination): boolean {
  return historyOf(log).noted.some((note) => note.destination === destination && note.outcome !== 'resent')
}

/**
 * What became of it last at a destination, if that is final: delivered or ignored there, and not sent there again since. A
 * page of the console asks this of thousands of entries.
 */
export function finalAt(log: Uint8Array | null | undefined, destination: Destination): Noted | undefined {
  if (!log) return undefined
  for (let at = (Math.floor(log.length / bytesEach) - 1) * bytesEach; at >= 0; at -= bytesEach) {
    if (destinationAt(log, at) !== destination || log[at + 2] === leftOut) continue
    const last = notedAt(log, at)
    if (ends(last.outcome)) return isFinal(last.outcome) ? last : undefined
  }
  return undefined
}

/** The last delivery to each destination that has taken it and was not sent it again since. */
export function deliveriesIn(log: Uint8Array | null): Noted[] {
  return deliveredLast(historyOf(log).noted)
}

/** The same as it was before the event was sent again there: only that tells how long the way takes. */
export function firstDeliveriesIn(log: Uint8Array | null): Noted[] {
  const { noted } = historyOf(log)
  const resentAt = (place: Destination) =>
    noted.findIndex(({ destination, outcome }) => destination === place && outcome === 'resent')
  const isBefore = ({ destination }: Noted, at: number) => {
    const resent = resentAt(destination)
    return resent < 0 || at < resent
  }
  return deliveredLast(noted.filter(isBefore))
}

function deliveredLast(noted: readonly Noted[]): Noted[] {
  const last = new Map(noted.map((note) => [note.destination, note]))
  return [...last.values()].filter(({ outcome }) => outcome === 'delivered')
}

/** Whether a destination other than this one had a part in it. */
export function wasElsewhere(log: Uint8Array | null | undefined, destination: Destination): boolean {
  return historyOf(log).noted.some((note) => note.destination > 0 && note.destination !== destination)
}

/** Whether a destination has taken it, or leaves it out but keeps it. */
export function isKept(log: Uint8Array | null): boolean {
  return historyOf(log).noted.some(({ outcome }) => outcome === 'delivered' || isKeptReason(outcome))
}

/** The last attempt at a destination since the entry was sent again, if it was. Before any destination only Drift is asked. */
export function lastAt(log: Uint8Array | null | undefined, destination: Destination): Noted | undefined {
  if (destination === 0) return undefined
  const { noted } = historyOf(log)
  const last = noted.findLast(
    (note) => note.destination === destination && (note.attempt > 0 || note.outcome === 'resent'),
  )
  return last?.outcome === 'resent' ? undefined : last
}

/** What a final outcome was counted as. What is ignored at a destination and not kept was empty: see the send lane. */
export function countedOutcome({ outcome }: Noted): { outcome: 'delivered' | 'ignored'; reason?: IgnoredReason } {
  if (outcome === 'delivered') return { outcome }
  return { outcome: 'ignored', reason: isKeptReason(outcome) ? outcome : 'empty' }
}
