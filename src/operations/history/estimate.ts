/** How long it takes to read what happened before: by the limits of docs/history.md, and nothing else. */
import { pageMax } from '../../drift/lists.ts'
import type { Counts } from '../jobs.ts'
import { requestLimits } from './ask.ts'

export interface Amount {
  /** Records of Drift's list, in whatever time: it has to be read from its beginning. */
  conversations: number
  /** Contacts whose attributes are to be read, and conversations that name no contact: a request each. */
  lookUps: number
  /** What is to be sent of them. */
  missing?: number
}

/** The list is read twice: what moved while it was read is found by the second reading. */
const readings = 2

export function requestsFor({ conversations, lookUps }: Amount): number {
  return readings * Math.ceil(conversations / pageMax) + lookUps
}

/**
 * At most a hundred conversations and meetings a second are sent, so that live events of the account do not wait for them. Drift's
 * limits let through six a second where two of three have a contact that is still to be read.
 */
export const keptEveryMs = 10

/** In milliseconds, from the first request to the last, when Drift refuses none and no live look-up comes between. */
export function estimatedMs(amount: Amount): number {
  return Math.max(requestsFor(amount) * requestLimits.everyMs, (amount.missing ?? 0) * keptEveryMs)
}

/** Of what a dry run has counted. */
export function amountOf({ looked = 0, contacts = 0, unnamed = 0, missing = 0 }: Counts): Amount {
  return { conversations: looked, lookUps: contacts + unnamed, missing }
}

/** `37 minutes`, `2 hours`, `3 days`: rounded up, in the largest unit of which there are two. */
export function spoken(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000))
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  const hours = Math.ceil(ms / 3_600_000)
  return hours < 48 ? `${hours} hours` : `${Math.ceil(ms / 86_400_000)} days`
}

/** Segment bills by tracked users; what an endpoint bills by is not known here. */
export function isBilledBySegment(destinations: readonly { endpoint?: string | undefined }[]): boolean {
  return destinations.some(({ endpoint }) => endpoint === undefined)
}
