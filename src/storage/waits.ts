/**
 * Times that are stored were written by some clock, and clocks are set back. What lies further ahead than anything is
 * ever made to wait was written by a clock that is ahead, or has been set back since.
 */
import { backoffMsMax, probeMsMax } from '../lib/backoff.ts'
import { skewMsMax } from '../lib/clock.ts'
import type { Asked, LaneShown } from './ports.ts'

/** What waits for a later time, be it a lane or an entry, waits no longer. */
export const waitMsMax = backoffMsMax + skewMsMax

/** The lane of a refused account, which waits to be probed, waits no longer. */
export const probeWaitMsMax = probeMsMax + skewMsMax

/** The longest wait of a lane. */
export function longestMsOf(trouble: string | undefined): number {
  return trouble === undefined ? waitMsMax : probeWaitMsMax
}

/** Contract: at most one attempt that a person asks for in ten seconds. */
const askMsMin = 10_000

/** What a lane answers to a person who wants an attempt now. */
export function askedOf(lane: Omit<LaneShown, 'lane'> | undefined, now: number): Asked {
  if (lane?.readyAt === undefined) return { is: 'nothing' }
  return lane.hold === undefined ? askedUnheld(lane, now) : { is: 'held', reason: lane.hold }
}

/** The same where the hold ends, whatever waits. */
export function askedUnheld(lane: Omit<LaneShown, 'lane'>, now: number): Exclude<Asked, { is: 'nothing' | 'held' }> {
  const { readyAt = now, retryAfterAt = now, askedAt = Number.NEGATIVE_INFINITY } = lane
  // The lane may have been made due since, by a clock that was set back.
  const leftAloneUntil = Math.min(readyAt, retryAfterAt)
  if (leftAloneUntil > now) return { is: 'later', at: leftAloneUntil, why: 'retry_after' }
  const isJustAsked = askedAt <= now && now < askedAt + askMsMin
  return isJustAsked ? { is: 'later', at: askedAt + askMsMin, why: 'just_tried' } : { is: 'asked' }
}
