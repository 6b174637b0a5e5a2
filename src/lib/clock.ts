/** The one home of time. Everything else is handed a Clock, so that a test can turn it. */
export interface Clock {
  /** Wall time in milliseconds since 1970, for people and for what is stored. */
  now(): number
  /** Milliseconds that never run backwards, for deadlines and durations. */
  monotonic(): number
  /** Calls back once after `delayMs`; the answer cancels it. Longer delays than a timer holds are shortened. */
  after(delayMs: number, callback: () => void): () => void
}

/** setTimeout with more than 2^31-1 ms fires at once (Node's documented overflow), so every delay is held below it. */
export const delayMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), delayMsMax))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when the signal is given. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** The clocks of those who share a store agree to within this: replicas, and a service with itself before a restart. */
export const skewMsMax = 60_000

/** A look at both clocks. */
export interface Look {
  now: number
  monotonic: number
}

export function lookAt(clock: Clock): Look {
  return { now: clock.now(), monotonic: clock.monotonic() }
}

/** By how many milliseconds the wall time has been moved between two looks: negative when it was set back. */
export function movedMs(before: Look, after: Look): number {
  return Math.round(after.now - before.now - (after.monotonic - before.monotonic))
}
