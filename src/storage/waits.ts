/**
 * Times that are stored were written by some clock, and clocks are set back. What lies further ahead than anything is
 * ever made to wait was written by a clock that is ahead, or has been set back since.
 */
import { backoffMsMax, leftAlone, probeMsMax } from '../lib/backoff.ts'
import { skewMsMax } from '../lib/clock.ts'
import type { Asked } from './ports/inbox.ts'
import type { LaneShown } from './ports/lookup.ts'

/** What waits for a later time, be it a lane or an entry, waits no longer. */
export const waitMsMax = backoffMsMax + skewMsMax

/** The lane of a refused account, which waits to be probed, waits no longer. */
export const probeWaitMsMax = probeMsMax + skewMsMax

/** What a lane answers to a person who wants an attempt now. */
export function askedOf(lane: Omit<LaneShown, 'lane'> | undefined, now: number): Asked {
  if (lane?.readyAt === undefined) return { is: 'nothing' }
  if (lane.hold !== undefined) return { is: 'held', reason: lane.hold }
  const later = leftAlone(lane, now)
  return later ? { is: 'later', ...later } : { is: 'asked' }
}
