/** What a job says of itself in numbers: how much of Drift's lists it has seen, what it passed over and why, and what it sent. */
import type { Storage } from '../../storage/ports/storage.ts'
import type { Counts } from '../jobs.ts'
import type { Cursor } from './cursor.ts'
import { type Judged, youngMs } from './judge.ts'

/** Stands before the reason for which Drift answers nothing at this time, as a count of 1, for as long as that is so. */
export const stuck = 'stuck_'

export interface Tally {
  /** What people are shown; see docs/history.md for each. */
  counts: Record<string, number>
  add(what: string, by?: number): void
}

export function tallyOf(from: Counts): Tally {
  const counts: Record<string, number> = Object.fromEntries(
    Object.entries(from).filter(([name]) => !name.startsWith(stuck)),
  )
  function add(what: string, by = 1): void {
    counts[what] = (counts[what] ?? 0) + by
  }
  return { counts, add }
}

/** A page of the first reading: how much there is, and what is passed over. */
export function countPage({ add }: Tally, judged: readonly Judged[], unreadable: number, dryRun: boolean): void {
  add('looked', judged.length)
  add('unreadable', unreadable)
  for (const { is } of judged) {
    if (is !== 'outside') add('in_time')
    if (is === 'erased' || is === 'young' || is === 'switched_off' || (dryRun && is === 'known')) add(is)
  }
}

/** So many pages say how fast it goes: some have much to be done, others came before. */
const pagesLately = 4

/** A page of the first reading is done: how fast it goes, and how long it still takes where the number of all is known. */
export function countSpeed({ counts }: Tally, before: Cursor['lately'], at: number): Cursor['lately'] {
  const { looked = 0, total } = counts
  const lately = [...before, { at, looked }].slice(-pagesLately - 1)
  const first = lately[0]!
  const perMs = (looked - first.looked) / Math.max(1, at - first.at)
  if (perMs > 0) counts.read_a_minute = Math.round(perMs * 60_000)
  if (perMs > 0 && total !== undefined) counts.seconds_left = Math.ceil(Math.max(0, total - looked) / perMs / 1_000)
  return lately
}

/** Nothing of the first reading is left, or no command or page waits for it. */
export function forgetSpeed({ counts }: Tally): void {
  delete counts.read_a_minute
  delete counts.seconds_left
}

/** Kept in a later reading: it was not there in the first, or was too young then. */
export function countLate({ counts, add }: Tally, { listed }: Judged, startedAt: number): void {
  if (listed.at > startedAt - youngMs && (counts.young ?? 0) > 0) add('young', -1)
  else add('in_time')
}

const passedOver = ['erased', 'young', 'switched_off', 'no_contact', 'barred_conversations', 'unanswered']

/**
 * What was sent is what the store has counted since the job began, so it is exact also where a page was begun twice. What
 * was of the time that was asked for, and was neither sent nor passed over, had come before. `contactType`: of the events that
 * are about no conversation or meeting.
 */
export function countSent({ counts }: Tally, contactType: string, before: Counts, now: Counts): void {
  const of = (type: string) => (now[type] ?? 0) - (before[type] ?? 0)
  const types = Object.keys(now).filter((type) => of(type) > 0)
  for (const type of types) counts[`sent_${type}`] = of(type)
  counts.sent = types.reduce((sum, type) => sum + of(type), 0)
  const events = counts.sent - of(contactType)
  const rest = passedOver.reduce((left, why) => left - (counts[why] ?? 0), (counts.in_time ?? 0) - events)
  counts.known = Math.max(0, rest)
}

/** By type, how much of the account the store has counted as read at Drift. */
export async function backfilledSoFar({ ledger }: { ledger: Pick<Storage['ledger'], 'totals'> }, org: string) {
  const totals = await ledger.totals()
  const own = totals.filter((total) => total.org === org && total.outcome === 'backfilled')
  return Object.fromEntries(own.map(({ type, count }) => [type, count])) as Counts
}
