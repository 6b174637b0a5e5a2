/** A clock whose speed can be set and whose wall time can be moved: it makes outages of minutes in seconds. */
import { type Clock, delayMsMax } from '../src/lib/clock.ts'

export interface BentClock extends Clock {
  /** From now on so many milliseconds pass in one. */
  setSpeed(speed: number): void
  /** So much time has passed at once, deadlines and all: for when nothing is under way. */
  skip(ms: number): void
  /** Moves the wall time, as an operator or a time server would; deadlines do not move. */
  step(ms: number): void
}

interface Timer {
  at: number
  callback: () => void
}

export function bentClock(): BentClock {
  let speed = 1
  let realBefore = performance.now()
  let passed = 0
  let shift = Date.now()
  let cancel = () => {}
  const timers = new Set<Timer>()
  const monotonic = () => passed + (performance.now() - realBefore) * speed

  function arm() {
    cancel()
    let next: Timer | undefined
    for (const timer of timers) if (!next || timer.at < next.at) next = timer
    if (!next) return
    const timeout = setTimeout(ring, Math.min(Math.max((next.at - monotonic()) / speed, 0), delayMsMax))
    cancel = () => clearTimeout(timeout)
  }

  function ring() {
    const now = monotonic()
    const due = [...timers].filter(({ at }) => at <= now).sort((one, other) => one.at - other.at)
    for (const timer of due) if (timers.delete(timer)) timer.callback()
    arm()
  }

  return {
    monotonic,
    now: () => Math.floor(shift + monotonic()),
    after(delayMs, callback) {
      const timer = { at: monotonic() + Math.max(delayMs, 0), callback }
      timers.add(timer)
      arm()
      return () => {
        if (timers.delete(timer)) arm()
      }
    },
    setSpeed(faster) {
      passed = monotonic()
      realBefore = performance.now()
      speed = faster
      arm()
    },
    skip(ms) {
      passed += ms
      arm()
    },
    step(ms) {
      shift += ms
    },
  }
}
