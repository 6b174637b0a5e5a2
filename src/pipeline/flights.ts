/** Several requests of one lease at once. What belongs to one contact is never in two of them, so its order is kept. */
import type { Bell } from '../lib/bell.ts'
import type { Clock } from '../lib/clock.ts'
import { fill, type Packed, type Room } from '../segment/batch.ts'

export interface Flights {
  /**
   * More to send, behind what was given before. Full requests start at once, and so does one when nothing is under way;
   * the others when the last one that was not full began long enough ago. `moreComes`: what fills no request waits for what is added next.
   */
  add(messages: readonly Packed[], moreComes?: boolean): void
  /** Nothing waits and nothing is under way. */
  isIdle(): boolean
  /** How long until a request that is not full may start: without end while as many as may are under way. */
  restMs(): number
  /** Sends what is left; resolves when nothing is under way any more, and rejects, then too, if a request threw. */
  finish(): Promise<void>
  /** Starts nothing more: what was not started stays unsent. */
  stop(): void
  isStopped(): boolean
}

interface Needs {
  room: Room
  atOnceMax: number
  /** From the start of a request that is not full to that of the next one beside it. */
  partialEveryMs: number
  clock: Clock
  /** Rung whenever a request has ended. */
  bell: Bell
}

/** `sendRun` is one request. */
export function flights(
  { room, atOnceMax, partialEveryMs, clock, bell }: Needs,
  sendRun: (run: readonly Packed[]) => Promise<void>,
): Flights {
  let waiting: readonly Packed[] = []
  let moreComes = false
  let isStopped = false
  let partialAt = Number.NEGATIVE_INFINITY
  let cancelTimer: (() => void) | undefined
  const busy = new Set<string>()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []

  const isIdle = () => waiting.length === 0 && underWay.size === 0

  function partialInMs(): number {
    if (underWay.size === 0) return 0
    return Math.max(partialAt + partialEveryMs - clock.monotonic(), 0)
  }

  function start(): boolean {
    if (waiting.length === 0 || underWay.size >= atOnceMax) return false
    // mutant: has one contact in two requests at once
    const { run, rest, isFull } = fill(waiting, room, (whose) => busy.has(whose))
    if (run.length === 0 || (!isFull && !mayBePartial())) return false
    if (!isFull) partialAt = clock.monotonic()
    waiting = rest
    for (const { whose } of run) busy.add(whose)
    const flight = sendRun(run)
      .catch((error: unknown) => {
        failures.push(error)
        stop()
      })
      .finally(() => {
        underWay.delete(flight)
        for (const { whose } of run) busy.delete(whose)
        startAll()
        bell.ring()
      })
    underWay.add(flight)
    return true
  }

  function mayBePartial(): boolean {
    if (moreComes) return false
    const inMs = partialInMs()
    // mutant: starts a request for every event
    if (inMs === 0) return true
    cancelTimer ??= clock.after(inMs, () => {
      cancelTimer = undefined
      startAll()
    })
    return false
  }

  function startAll(): void {
    while (start());
  }

  function stop(): void {
    isStopped = true
    waiting = []
    cancelTimer?.()
  }

  return {
    add(messages, comes = false) {
      moreComes = comes
      if (!isStopped) waiting = [...waiting, ...messages]
      startAll()
    },
    isIdle,
    restMs: () => (underWay.size >= atOnceMax ? Number.POSITIVE_INFINITY : partialInMs()),
    async finish() {
      moreComes = false
      startAll()
      while (!isIdle()) await bell.rung()
      if (failures.length > 0) throw failures[0]
    },
    stop,
    isStopped: () => isStopped,
  }
}
