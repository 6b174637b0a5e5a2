/** Wakes the one who waits for it; a ring while nothing waits is kept for the next wait. */
import type { Clock } from './clock.ts'

export interface Bell {
  ring(): void
  /** Resolves at the next ring, at once if it has rung since the last wait, or when the time is up. */
  rung(withinMs?: number): Promise<void>
}

export function openBell(clock: Clock): Bell {
  let hasRung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      hasRung = true
      wake?.()
    },
    async rung(withinMs = Number.POSITIVE_INFINITY) {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const cancel = withinMs < Number.POSITIVE_INFINITY ? clock.after(withinMs, resolve) : () => {}
          wake = () => {
            cancel()
            resolve()
          }
        })
      }
      hasRung = false
      wake = undefined
    },
  }
}
