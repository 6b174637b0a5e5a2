/** A scenario makes one or more faults in a world under load; the world is judged when the scenario is over. */
import type { Row } from './faults.ts'
import type { LoadOptions } from './load.ts'
import type { World } from './world.ts'

export interface Scenario {
  name: string
  /** The rows of the list of faults that it runs. */
  rows: readonly Row[]
  /** What Drift sends from the beginning; without it, the usual mixture. */
  load?: LoadOptions
  /** Why it cannot run on this machine or engine, if so. */
  impossible?: (engine: string) => string | false
  /** Returns what is worth a note in the report. */
  run(world: World): Promise<string | undefined>
}

/** Lets the fault last for so long in real time. */
export function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
