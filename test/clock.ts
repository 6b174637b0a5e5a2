/** A clock that stands still until a test turns it, so that no test waits for a backoff, a probe or a deadline. */
import type { Clock } from '../src/lib/clock.ts'
import { restMsMax } from '../src/lib/groups.ts'

export interface ManualClock extends Clock {
  /** Turns the clock on, and calls what comes due on the way, in order. */
  advance(ms: number): void
  /** Turns it on at once, as a machine that slept: what came due meanwhile is called once, at the end. For days. */
  jump(ms: number): void
  /** How long until the next timer, if there is one. */
  untilNext(): number | undefined
  /** Moves the wall time alone, as an operator or a time server does: no timer comes due by it. */
  step(ms: number): void
}

interface Timer {
  at: number
  callback: () => void
}

export function manualClock(startMs: number = Date.UTC(2025, 5, 1)): ManualClock {
  let now = startMs
  let stepped = 0
  const timers = new Set<Timer>()
  const first = () => [...timers].reduce<Timer | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined)
  return {
    now: () => now + stepped,
    monotonic: () => now,
    after(delayMs, callback) {
      const timer = { at: now + Math.max(delayMs, 0), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    untilNext() {
      const next = first()
      return next && next.at - now
    },
    step(ms) {
      stepped += ms
    },
    advance(ms) {
      const end = now + ms
      for (let next = first(); next && next.at <= end; next = first()) {
        timers.delete(next)
        now = Math.max(now, next.at)
        next.callback()
      }
      now = end
    },
    jump(ms) {
      now += ms
      this.advance(0)
    },
  }
}

/**
 * The clock for a service with real partners and a real store. The service rests between its groups for as long as a group
 * took by this clock: a few milliseconds, where a test has turned it in the middle of one. Such a rest also ends in real time;
 * else the service would wait for a clock that stands. Nothing else there waits for so short a time.
 */
export function withRestsEnding(clock: Clock): Clock {
  return {
    ...clock,
    after(delayMs, callback) {
      if (delayMs > restMsMax) return clock.after(delayMs, callback)
      const cancel = () => {
        cancelTurned()
        clearTimeout(real)
      }
      const end = () => {
        cancel()
        callback()
      }
      const cancelTurned = clock.after(delayMs, end)
      const real = setTimeout(end, restMsMax)
      return cancel
    },
  }
}

/**
 * How long tests wait for what is to happen. It is reached by a fault alone, so it leaves room for a machine that is busy
 * with much else, and is less than the minute that most tests have. Less is enough where tests are to fail.
 */
export const patienceMs = Number(process.env.TEST_PATIENCE_MS ?? 40_000)

/** Resolves once it is so; real time passes, the manual clock's does not. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  story: () => unknown = () => '',
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`did not come to pass: ${JSON.stringify(story())}`)
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
}

/**
 * Lets time pass until it is so, from one timer to the next; `isBusy` says when something is still under way, and then
 * the clock stands. Resolves to how many milliseconds of its time went by.
 */
export async function timePasses(
  clock: ManualClock,
  isSo: () => boolean | Promise<boolean>,
  isBusy: () => boolean | Promise<boolean> = () => false,
  story: () => unknown = () => '',
): Promise<number> {
  const start = clock.now()
  await eventually(async () => {
    if (await isSo()) return true
    if (!(await isBusy())) clock.advance(Math.min(clock.untilNext() ?? 1_000, 60_000))
    return false
  }, story)
  return clock.now() - start
}

/** Time passes, ten milliseconds at a time unless said, until this has been done: of what waits for a while by the clock. */
export async function whileWaiting<T>(clock: ManualClock, doing: Promise<T>, stepMs = 10): Promise<T> {
  let isDone = false
  const done = () => (isDone = true)
  doing.then(done, done)
  await eventually(() => {
    if (!isDone) clock.advance(stepMs)
    return isDone
  })
  return doing
}

/**
 * The least of some durations that `measure` gives, in milliseconds: other load makes one of them longer, and hardly each.
 * Stops at the first that is below `enoughMs`.
 */
export async function leastMs(enoughMs: number, measure: (attempt: number) => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5 && least >= enoughMs; attempt++) least = Math.min(least, await measure(attempt))
  return least
}

/** Numbers that look left to chance and are the same every time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
