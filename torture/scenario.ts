/** A scenario is one kind of trouble, made in a world under load; the world is judged when it is over. */
import type { Row } from './faults.ts'
import type { World } from './world.ts'

export interface Scenario {
  name: string
  /** The rows of the list of faults that it runs. */
  rows: readonly Row[]
  /** Why it cannot run on this machine or engine, if so. */
  impossible?: (engine: string) => string | false
  /** Returns what is worth a note in the report. */
  run(world: World): Promise<string | undefined>
}

/** Lets the trouble last for so long in real time. */
export function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
