/**
 * How often one side may ask another: so many at once, and each no sooner than so long after the one before. Refused for
 * too many requests, it makes half as many, and comes back to its speed minute by minute.
 */
import { type Clock, pause } from './clock.ts'

export interface PaceLimits {
  atOnceMax: number
  /** From one beginning to the next, in milliseconds. */
  everyMs: number
}

/** What another process that goes on with the work must know. */
export interface PaceState {
  /** 1: at full speed; 2: half as often; and so on. */
  slowness: number
  /** Wall time until which the other side wants nothing, and when it refused last. */
  restUntil: number
  refusedAt: number
}

export interface Pace {
  /**
   * Resolves when one may begin; what it resolves to is to be called when that has ended. Rejects with the signal's reason.
   */
  begin(): Promise<() => void>
  /** The other side has refused one for coming too often. */
  refused(restMs?: number): void
  state(): PaceState
  /** How long one takes from the beginning of another at the present speed. */
  everyMs(): number
}

export interface PaceNeeds {
  clock: Clock
  limits: PaceLimits
  /** Where another has left off. The first one waits for its turn all the same: that one may have just asked. */
  from?: PaceState | undefined
  signal?: AbortSignal
}

/** At a sixteenth of the speed, one in some seconds: it cannot be what is too often. */
const slownessMax = 16
/** Without a refusal for so long, it goes twice as fast again. */
const recoversMs = 60_000

export function openPace({ clock, limits, from, signal }: PaceNeeds): Pace {
  const state: PaceState = from ?? { slowness: 1, restUntil: 0, refusedAt: 0 }
  let underWay = 0
  // mutant: asks at once, though another process may have just asked
  let lastAt = clock.monotonic()
  let turn: Promise<unknown> = Promise.resolve()
  let ended = () => {}

  function everyMs(): number {
    return limits.everyMs * state.slowness
  }

  function recover(): void {
    if (state.slowness === 1 || clock.now() < state.refusedAt + recoversMs) return
    state.slowness = Math.max(1, state.slowness / 2)
    state.refusedAt = clock.now()
  }

  async function wait(): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      recover()
      if (underWay >= limits.atOnceMax) {
        await new Promise<void>((resolve) => {
          ended = resolve
          signal?.addEventListener('abort', () => resolve(), { once: true })
        })
        continue
      }
      const waitMs = Math.max(lastAt + everyMs() - clock.monotonic(), state.restUntil - clock.now())
      if (waitMs <= 0) break
      await pause(clock, waitMs, signal)
    }
    underWay += 1
    lastAt = clock.monotonic()
  }

  return {
    begin() {
      const mine = turn.then(wait)
      turn = mine.catch(() => {})
      return mine.then(() => {
        let isOver = false
        return () => {
          if (isOver) return
          isOver = true
          underWay -= 1
          ended()
        }
      })
    },
    refused(restMs = 0) {
      const now = clock.now()
      state.restUntil = Math.max(state.restUntil, now + restMs)
      // Several that were under way together are refused for one reason.
      if (now < state.refusedAt + 1_000 && state.slowness > 1) return
      state.slowness = Math.min(slownessMax, state.slowness * 2)
      state.refusedAt = now
    },
    state: () => ({ ...state }),
    everyMs,
  }
}
