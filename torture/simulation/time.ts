/**
 * The time of a simulation: it passes only when nothing else is left to do. And processes in it, which may die, stand
 * still, or have a clock that is wrong.
 */
import type { Clock } from '../../src/lib/clock.ts'
import type { ManualClock } from '../../test/clock.ts'

export interface SimulatedProcess {
  readonly name: number
  readonly clock: Clock
  isDead: boolean
  /** How far its wall clock is wrong. */
  skewMs: number
  /** Calls back after so long, unless the process has died; later, when it stands still. */
  after(delayMs: number, callback: () => void): () => void
  /** Something from outside comes to it after so long: resolves then, or never. */
  hear<T>(delayMs: number, what: () => T): Promise<T>
  pause(): void
  goOn(): void
}

export function startProcess(name: number, world: ManualClock): SimulatedProcess {
  let stands: (() => void)[] | undefined
  const process: SimulatedProcess = {
    name,
    isDead: false,
    skewMs: 0,
    clock: {
      // As the clock of a system, in whole milliseconds: what is stored is an integer.
      now: () => Math.floor(world.now() + process.skewMs),
      monotonic: () => world.monotonic(),
      after: (delayMs, callback) => process.after(delayMs, callback),
    },
    after: (delayMs, callback) =>
      world.after(delayMs, () => {
        if (process.isDead) return
        if (stands) stands.push(callback)
        else callback()
      }),
    hear: (delayMs, what) =>
      new Promise((resolve, reject) => {
        process.after(delayMs, () => {
          try {
            resolve(what())
          } catch (error) {
            reject(error)
          }
        })
      }),
    pause() {
      stands ??= []
    },
    goOn() {
      const waiting = stands ?? []
      stands = undefined
      for (const callback of waiting) if (!process.isDead) callback()
    },
  }
  return process
}
