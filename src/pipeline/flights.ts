/** Several requests of one lease at once. What belongs to one contact is never in two of them, so its order is kept. */
import { fill, type Packed, type Room } from '../segment/batch.ts'

export interface Flights {
  /** More to send, behind what was given before. Whole requests start at once; what fills none waits for more. */
  add(messages: readonly Packed[]): void
  /** Sends what is left; resolves when nothing is under way any more, and rejects, then too, if a request threw. */
  finish(): Promise<void>
  /** Starts nothing more: what was not started stays unsent. */
  stop(): void
}

/** `fly` is one request; it may ask whether it is the last of all. */
export function flights(
  { room, atOnceMax }: { room: Room; atOnceMax: number },
  fly: (run: readonly Packed[], isLast: () => boolean) => Promise<void>,
): Flights {
  let waiting: readonly Packed[] = []
  let isAll = false
  const busy = new Set<string>()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  const isLast = () => isAll && waiting.length === 0 && underWay.size === 1

  function start(): boolean {
    if (waiting.length === 0 || underWay.size === atOnceMax) return false
    // mutant: has one contact in two requests at once
    const { run, rest, isFull } = fill(waiting, room, (whose) => busy.has(whose))
    if (run.length === 0 || !(isFull || isAll)) return false
    waiting = rest
    for (const { whose } of run) busy.add(whose)
    const flight = fly(run, isLast)
      .catch((error: unknown) => {
        failures.push(error)
        waiting = []
      })
      .finally(() => {
        underWay.delete(flight)
        for (const { whose } of run) busy.delete(whose)
      })
    underWay.add(flight)
    return true
  }

  return {
    add(messages) {
      if (failures.length === 0) waiting = [...waiting, ...messages]
      while (start());
    },
    async finish() {
      isAll = true
      for (;;) {
        while (start());
        if (underWay.size === 0) break
        await Promise.race(underWay)
      }
      if (failures.length > 0) throw failures[0]
    },
    stop() {
      isAll = true
      waiting = []
    },
  }
}
