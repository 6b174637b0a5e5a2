import type { Random } from './random.ts'

/** Tries are at most fifteen minutes apart, however long an outage lasts. */
export const backoffMsMax = 15 * 60_000
/** A refused account is probed at least every hour. A partner's `Retry-After` is kept to for as long at most. */
export const probeMsMax = 3_600_000
const firstMs = 1_000

/** How long to wait after the n-th failure in a row (1, 2, …): doubling from a second, with half of it left to chance. */
export function backoffMs(failures: number, random: Random, maxMs: number = backoffMsMax): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30))
  return Math.round(full / 2 + (full / 2) * random.fraction())
}

/**
 * `Retry-After` in milliseconds, as seconds or as an HTTP date (RFC 9110 10.2.3), held between a second and an hour.
 * Undefined when there is none or it says nothing.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  // Date.parse takes nearly anything for a date, -5 among it; an HTTP date begins with the name of a day.
  const date = /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN
  const wanted = /^\d+$/.test(text) ? Number(text) * 1_000 : date - nowMs
  if (Number.isNaN(wanted)) return undefined
  // mutant: waits for whatever Retry-After says
  return Math.min(Math.max(wanted, 1_000), probeMsMax)
}

/** At most one attempt that a person asks for in ten seconds. */
const askMsMin = 10_000

/** Until when nothing is tried though a person asks, and why; undefined where it is tried at once. */
export function leftAlone(
  lane: { readyAt?: number; retryAfterAt?: number; askedAt?: number },
  now: number,
): { at: number; why: 'retry_after' | 'just_tried' } | undefined {
  const { readyAt = now, retryAfterAt = now, askedAt = Number.NEGATIVE_INFINITY } = lane
  // The lane may have been made due since, by a clock that was set back.
  const wishedUntil = Math.min(readyAt, retryAfterAt)
  if (wishedUntil > now) return { at: wishedUntil, why: 'retry_after' }
  const isJustAsked = askedAt <= now && now < askedAt + askMsMin
  return isJustAsked ? { at: askedAt + askMsMin, why: 'just_tried' } : undefined
}
