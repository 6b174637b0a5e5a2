/** What an attempt that a person asked for has brought, in a sentence: for the command line and the console alike. */
import type { Later } from '../accounts/retry.ts'
import { skewMsMax } from '../lib/clock.ts'
import type { Lane } from '../storage/ports/entry.ts'
import type { LaneShown } from '../storage/ports/lookup.ts'
import { explain } from './reasons.ts'

/** `good`: the partner took it. `warn`: it did not, and is tried again. `bad`: it refuses the account. `open`: not over yet. */
export interface Brought {
  is: 'good' | 'warn' | 'bad' | 'open'
  says: string
}

/** `endpoint`: what stands in Segment's place at the lane's destination, by its name. */
export function brought(shown: LaneShown, endpoint?: string): Brought {
  const { lane, asked, askedAt = 0, triedAt, lastError, blocked, readyAt } = shown
  const partner = partnerOf(lane, endpoint)
  if (asked) return { is: 'open', says: `the attempt at ${partner} has not ended yet` }
  // By the clocks of two processes.
  if (triedAt === undefined || triedAt + skewMsMax < askedAt)
    return { is: 'good', says: `nothing waits for ${partner} any more` }
  if (lastError === undefined) return { is: 'good', says: lane === 'send' ? `${partner} accepted` : 'Drift answered' }
  const next = readyAt === undefined ? '' : `; next attempt at ${timeOf(readyAt)}`
  // The means of a system's code says that there is one.
  const code = /^[A-Z0-9_]+$/.test(lastError) ? ` (${lastError})` : ''
  return { is: lastError === blocked ? 'bad' : 'warn', says: `${explain(lastError, endpoint).means}${code}${next}` }
}

export function laterSaid({ lane, at, why }: Later, endpoint?: string): string {
  return why === 'retry_after'
    ? `${partnerOf(lane, endpoint)} asked to be left alone until ${timeOf(at)}: nothing is sent before`
    : `an attempt was made a moment ago: the next one is possible at ${timeOf(at)}`
}

function partnerOf(lane: Lane, endpoint = 'Segment'): string {
  return lane === 'send' ? endpoint : 'Drift'
}

/** To the second, in UTC. */
function timeOf(at: number): string {
  return `${new Date(Math.ceil(at / 1_000) * 1_000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
