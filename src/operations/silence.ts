/**
 * Whether an account has been silent for much longer than it usually is: what never came leaves no
 * trace, so only we can notice that Drift no longer sends.
 */
import type { Org } from '../storage/ports/entry.ts'
import type { Ledger } from '../storage/ports/lookup.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** As long as the ledger keeps counts by the hour. */
export const knownMs = 8 * dayMs
/** Hours with webhooks that must have been seen before a gap says anything. */
const hoursMin = 12
/** What is silence for an account that is seldom heard of. */
const seldomMs = 5 * dayMs

/** How many of these accounts are silent for longer than usual; the totals are asked for once. */
export async function countSilent(
  ledger: Pick<Ledger, 'timeBuckets' | 'totals'>,
  orgs: readonly Org[],
  now: number,
): Promise<number> {
  const received = (await ledger.totals()).filter(({ outcome }) => outcome === 'received')
  const everHeardOf = new Set(received.map(({ org }) => org))
  let count = 0
  for (const org of orgs) {
    const timeBuckets = await ledger.timeBuckets(org, now - knownMs, now + 1)
    const times = timeBuckets.filter(({ outcome }) => outcome === 'received').map(({ at }) => at)
    if (isSilent(times, everHeardOf.has(org), now)) count++
  }
  return count
}

/** `times`: when something came in the last eight days, in order. `wasHeardOf`: something ever came. */
export function isSilent(times: readonly number[], wasHeardOf: boolean, now: number): boolean {
  const lastAt = times.at(-1)
  if (lastAt === undefined) return wasHeardOf
  const gapMs = now - lastAt
  const hours = [...new Set(times.map((at) => at - (at % hourMs)))]
  if (hours.length < hoursMin) return gapMs > seldomMs
  const usualGapMs = Math.max(...hours.slice(1).map((at, index) => at - hours[index]!))
  // A night counts threefold; after a weekend it is enough that another day and a half has gone by.
  const alarmMs = Math.max(Math.min(3 * usualGapMs, usualGapMs + 1.5 * dayMs), 3 * hourMs)
  return gapMs > alarmMs
}
