/**
 * Whether an account has been silent for much longer than it usually is: nobody but us would notice that Drift no longer
 * sends, since what never came leaves no trace.
 */
import type { Ledger, Org, Total } from '../storage/ports.ts'

export interface Silence {
  /** When the last webhook came, to the minute or hour that is kept; undefined: none within eight days. */
  lastAt?: number
  /** The longest gap of these days, not counting the present one. */
  usualGapMs?: number
  /** The present gap is far beyond it. */
  isAlarming: boolean
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** As long as the ledger tells them by the hour. */
const knownMs = 8 * dayMs
/** Hours with webhooks that must have been seen before a gap says anything. */
const hoursMin = 12
/** What is silence for an account that is seldom heard of. */
const seldomMs = 5 * dayMs

export async function silenceOf(ledger: Pick<Ledger, 'moments' | 'totals'>, org: Org, now: number): Promise<Silence> {
  return (await silenceWithin(ledger, org, now)) ?? longSilence(await ledger.totals(), org)
}

/** How many of these accounts are silent for longer than usual; the totals are asked for once. */
export async function countSilent(
  ledger: Pick<Ledger, 'moments' | 'totals'>,
  orgs: readonly Org[],
  now: number,
): Promise<number> {
  const totals = await ledger.totals()
  const received = new Set(totals.filter(({ outcome }) => outcome === 'received').map(({ org }) => org))
  let count = 0
  for (const org of orgs) {
    const { isAlarming } = (await silenceWithin(ledger, org, now)) ?? { isAlarming: received.has(org) }
    if (isAlarming) count++
  }
  return count
}

/** Undefined where nothing came for as long as the ledger tells times. */
async function silenceWithin(ledger: Pick<Ledger, 'moments'>, org: Org, now: number): Promise<Silence | undefined> {
  const moments = await ledger.moments(org, now - knownMs, now + 1)
  const times = moments.filter(({ outcome }) => outcome === 'received').map(({ at }) => at)
  return times.length > 0 ? judgeSilence(times, now) : undefined
}

function longSilence(totals: readonly Total[], org: Org): Silence {
  return { isAlarming: totals.some((total) => total.org === org && total.outcome === 'received') }
}

/** `times`: moments at which something came, in order, one at least. */
export function judgeSilence(times: readonly number[], now: number): Silence {
  const lastAt = times.at(-1)!
  const hours = [...new Set(times.map((at) => at - (at % hourMs)))]
  if (hours.length < hoursMin) return { lastAt, isAlarming: now - lastAt > seldomMs }
  const usualGapMs = Math.max(...hours.slice(1).map((at, index) => at - hours[index]!))
  // A night counts threefold; after a weekend it is enough that another day and a half has gone by.
  const alarmMs = Math.max(Math.min(3 * usualGapMs, usualGapMs + 1.5 * dayMs), 3 * hourMs)
  return { lastAt, usualGapMs, isAlarming: now - lastAt > alarmMs }
}
