/** How a lease ends: when its lane goes on, after success, after a failure that will pass, or while the account is blocked. */
import type { AccountReason } from '../accounts/needs-attention.ts'
import { backoffMs, backoffMsMax, probeMsMax } from '../lib/backoff.ts'
import type { Random } from '../lib/random.ts'
import type { Ending, Lease } from '../storage/ports/inbox.ts'

/** A blocked account is probed after a minute, then after twice as long each time, up to an hour. */
const probeMsMin = 60_000

/** `afterMs`: what the other side asked to be left alone for. */
export type Pause = ({ is: 'later'; reason: string } | { is: 'held'; reason: AccountReason }) & { afterMs?: number }

export function endingOf(lease: Lease, pause: Pause | undefined, now: number, random: Random): Ending {
  if (!pause) return { readyAt: now, failures: 0, tried: { at: now } }
  const tried = { at: now, lastError: pause.reason }
  // A probe that met an outage does not show whether the account is still refused.
  const blocked = pause.is === 'held' ? pause.reason : lease.blocked
  const failures = pause.is === 'held' && lease.blocked === undefined ? 1 : lease.failures + 1
  // What the other side asks for is a least: a `Retry-After: 1` in every answer must not keep us from backing off.
  const askedMs = pause.afterMs ?? 0
  const until = (readyAt: number) => (askedMs > 0 ? { retryAfterAt: Math.min(now + askedMs, readyAt) } : {})
  if (blocked === undefined) {
    const waitMs = Math.min(Math.max(askedMs, backoffMs(failures, random)), backoffMsMax)
    return { readyAt: now + waitMs, failures, tried, ...until(now + waitMs) }
  }
  // mutant: never tries a blocked account again
  const probeMs = Math.min(probeMsMin * 2 ** Math.min(failures - 1, 10), probeMsMax)
  const readyAt = now + Math.max(askedMs, probeMs)
  return { readyAt, failures, tried, blocked, ...until(readyAt) }
}

/**
 * Of two reasons to stop: a refusal of the account says more than an outage, and of two outages the longer one does. The
 * lane waits as long as either answer asked for.
 */
export function moreSevere(one: Pause | undefined, other: Pause | undefined): Pause | undefined {
  if (!one || !other) return one ?? other
  const [oneMs, otherMs] = [one.afterMs ?? 0, other.afterMs ?? 0]
  const first = one.is === other.is ? oneMs >= otherMs : one.is === 'held'
  const afterMs = Math.max(oneMs, otherMs)
  return { ...(first ? one : other), ...(afterMs > 0 ? { afterMs } : {}) }
}

/** A lease without a request shows nothing of the other side, so what blocks the lane stays: the next entry is tried, at once. */
export function unprobed({ failures, blocked }: Lease, now: number): Ending {
  return { readyAt: now, failures, ...(blocked === undefined ? {} : { blocked }) }
}
