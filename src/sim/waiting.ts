/** Waits for a condition, which is looked at after each event: without polling and without sleeping. */
import type { Clock } from '../lib/clock.ts'

/** How long is waited where nothing else is said: long enough for a machine that is busy with much else. */
export const waitMsMax = 40_000

export interface Waiting {
  /** Something happened: everybody who waits looks again. */
  changed(): void
  /** Resolves as soon as `isThere`; rejects after `timeoutMs`, or when closed, with what `story` says is there. */
  until(isThere: () => boolean, timeoutMs: number, story: () => string): Promise<void>
  close(): void
}

export function openWaiting(clock: Clock): Waiting {
  const waiters = new Set<{ look(): void; giveUp(why: string): void }>()
  return {
    changed: () => {
      for (const waiter of waiters) waiter.look()
    },
    close: () => {
      for (const waiter of waiters) waiter.giveUp('closed while waiting')
    },
    until: (isThere, timeoutMs, story) =>
      new Promise((resolve, reject) => {
        if (isThere()) return resolve()
        const leave = () => {
          waiters.delete(waiter)
          cancel()
        }
        const waiter = {
          look: () => {
            if (!isThere()) return
            leave()
            resolve()
          },
          giveUp: (why: string) => {
            leave()
            reject(new Error(`${why}; there is: ${story()}`))
          },
        }
        const cancel = clock.after(timeoutMs, () => waiter.giveUp(`not there within ${timeoutMs} ms`))
        waiters.add(waiter)
      }),
  }
}
