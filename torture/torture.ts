/** The run: one world after the other, in each a few scenarios in an order left to the seed, until the time is up. */
import { seeded } from '../test/clock.ts'
import type { Audit } from './ledger.ts'
import type { Scenario } from './scenario.ts'
import { lasting } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { openWorld, type World } from './world.ts'

export interface Options {
  seed: number
  minutes: number
  engines: readonly string[]
  /** Only scenarios that run this row, or have this in their name. */
  fault?: string
  tell: (line: string) => void
}

export interface Ran {
  engine: string
  scenario: string
  world: number
  ms: number
  note?: string
  /** What broke, in words. */
  broken: string[]
}

type Told = Omit<Ran, 'engine' | 'world'>

export interface Outcome {
  options: Omit<Options, 'tell'>
  startedAt: number
  ms: number
  ran: Ran[]
  /** The last judgement of each world: everything that happened in it. */
  audits: (Audit & { engine: string; world: number; seed: number; connectedAgain: number })[]
  /** Scenarios that cannot run here, by engine, with the reason. */
  impossible: { engine: string; scenario: string; why: string }[]
}

/** So many in one world; then a new one, so that its ledgers stay small. */
const scenariosOfAWorld = 5

export async function torture(options: Options): Promise<Outcome> {
  const { seed, minutes, engines, fault, tell } = options
  const startedAt = Date.now()
  const endsAt = performance.now() + minutes * 60_000
  const began = performance.now()
  const { tell: _, ...told } = options
  const outcome: Outcome = { options: told, startedAt, ms: 0, ran: [], audits: [], impossible: [] }
  const fraction = seeded(seed)
  const queues = new Map<string, Scenario[]>()
  for (const engine of engines) {
    const wanted = scenarios.filter(
      ({ name, rows }) => fault === undefined || rows.some((row) => row === fault) || name.includes(fault),
    )
    for (const { name, impossible } of wanted) {
      const why = impossible?.(engine)
      if (why) outcome.impossible.push({ engine, scenario: name, why })
    }
    queues.set(
      engine,
      wanted.filter(({ impossible }) => !impossible?.(engine)),
    )
  }
  const some = [...queues.values()].some((queue) => queue.length > 0)
  if (!some && outcome.impossible.length === 0) throw new Error(`no scenario runs "${fault}"`)
  const order = new Map<string, Scenario[]>()
  while (some && performance.now() < endsAt) {
    for (const [engine, possible] of queues) {
      if (possible.length === 0 || performance.now() > endsAt) continue
      // Every scenario runs once before one runs again.
      const left = order.get(engine) ?? []
      if (left.length === 0) left.push(...shuffled(possible, fraction))
      order.set(engine, left)
      const world = outcome.audits.length + 1
      const worldSeed = Math.floor(fraction() * 2 ** 31)
      const told = (ran: Told) => {
        outcome.ran.push({ ...ran, engine, world })
        tell(line({ ...ran, engine, world }))
      }
      const audit = await runWorld(engine, worldSeed, left.splice(0, scenariosOfAWorld), told, endsAt)
      outcome.audits.push({ ...audit, engine, world, seed: worldSeed })
    }
  }
  outcome.ms = performance.now() - began
  return outcome
}

function line({ engine, world, scenario, ms, note, broken }: Ran): string {
  const result = broken.length === 0 ? 'held' : `BROKEN: ${broken.join('; ')}`
  return `${engine} world ${world}  ${scenario}  ${(ms / 1_000).toFixed(1)} s  ${result}${note ? `  (${note})` : ''}`
}

async function runWorld(
  engine: string,
  seed: number,
  few: readonly Scenario[],
  told: (ran: Told) => void,
  endsAt: number,
): Promise<Audit & { connectedAgain: number }> {
  const world = await openWorld(seed, engine)
  try {
    await populate(world)
    let audit: Audit | undefined
    for (const scenario of few) {
      if (audit && performance.now() > endsAt) break
      const startedAt = performance.now()
      world.load.start(scenario.load)
      await lasting(300)
      const failed: string[] = []
      const note = await scenario.run(world).catch((error: Error) => {
        failed.push(error.message)
        return undefined
      })
      audit = await world.settle().catch((error: Error) => {
        failed.push(`it did not come to rest: ${error.message}`)
        return { ...world.ledger.audit(nothing), broken: [] }
      })
      const broken = [...failed, ...audit.broken]
      told({ scenario: scenario.name, ms: performance.now() - startedAt, ...(note ? { note } : {}), broken })
      audit.broken = broken
      // What is broken stays broken: the rest of this world would only say so again.
      if (broken.length > 0) break
    }
    return { ...audit!, connectedAgain: world.connectedAgain }
  } finally {
    await world.close()
  }
}

/** When the counts of the service cannot be read. */
const nothing = { received: 0, delivered: 0, waiting: 0, held: 0, dead: 0, ignored: 0, expired: 0 }

/** The accounts, one of them with two destinations, and the service. */
async function populate(world: World): Promise<void> {
  for (let n = 1; n <= 6; n++) await world.install(String(5_000_000 + n), `TortureKey${n}AbCdEfGhIjKlMnOpQr`)
  await world.addDestination(world.accounts.at(-1)!.org, 'TortureSecondKeyAbCdEfGhIjKlMnOp')
  await world.start()
}

function shuffled<T>(items: readonly T[], fraction: () => number): T[] {
  return items
    .map((item) => ({ item, at: fraction() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item)
}
