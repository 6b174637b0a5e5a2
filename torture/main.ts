/** `npm run torture`: the crash and fault report. See docs/torture.md. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commits } from '../test/commits.ts'
import { engines as stores } from '../test/engines.ts'
import { walkStores } from './conservation.ts'
import { closeEngines, engines, possibleEngines } from './engines.ts'
import { faults } from './faults.ts'
import { walkFar } from './model/walk.ts'
import { judgeMutants, unfit } from './mutants/run.ts'
import { markdownOf, reportOf, type Walked } from './report.ts'
import { describe, simulateMany } from './simulation/seeds.ts'
import { torture } from './torture.ts'

const usage = `npm run torture -- [option …]
  --minutes <n>    how long, about; 3 by default
  --seed <n>       the order of the scenarios and all random choices in them
  --engine <name>  only this engine (${Object.keys(engines).join(', ')}); may be given again
  --fault <what>   only scenarios that run this row of the list (F1 to ${Object.keys(faults).at(-1)}), or with this in their name
  --simulate <n>   no processes: so many seeds of the simulation, from --seed on (1 by default)
  --model <n>      no processes: so many steps of the store's model on SQLite in memory, from --seed on
  --stop           … at the first that breaks something
  --mutants <name> breaks the promise on purpose in a copy of the source, and shows what notices ('' for all)
  --turn           … of these a part, another at each commit
  --write <path>   also write the report there, as Markdown, and beside it as JSON
`

/** Seeds of the simulation that a run adds to its scenarios: about a tenth of its time. */
const seedsAMinute = 40
/** Sequences of steps on a store of each engine, likewise. */
const sequencesAMinute = 10

try {
  process.exitCode = await run()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`)
  process.exitCode = 2
}
await closeEngines()
// Whatever a broken world has left open must not keep a run from ending.
process.exit()

function tell(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function simulation(first: number, count: number, stop: boolean): Promise<number> {
  if (!(Number.isInteger(first) && count > 0)) throw new Error('the number of seeds and the first are whole numbers')
  const summary = await simulateMany(first, count, { stop })
  tell(describe(summary))
  return summary.broken.length === 0 ? 0 : 1
}

async function modelWalk(seed: number, steps: number): Promise<number> {
  if (!(Number.isInteger(seed) && steps > 0)) throw new Error('the number of steps and the seed are whole numbers')
  await walkFar({ seed, steps }, (taken, next) => tell(`${taken} steps are as the model says; next seed: ${next}`))
  return 0
}

/** Every engine beside its model in memory; resolves to what broke, by engine. */
async function walk(names: readonly string[], seed: number, sequences: number): Promise<Walked[]> {
  const walked: Walked[] = []
  for (const { name, start } of stores.filter((one) => sequences > 0 && names.includes(one.name))) {
    const store = await start(true)
    const broken = await walkStores(store.fresh, seed, sequences)
      .then(() => undefined)
      .catch((error: unknown) => String(error))
    walked.push({ engine: name, sequences, broken })
    await store.close()
  }
  return walked
}

async function mutantRun(only: string, isTurn: boolean): Promise<number> {
  const wrong = unfit()
  if (wrong.length > 0) throw new Error(`mend torture/mutants/:\n${wrong.join('\n')}`)
  const judged = await judgeMutants({ only, turn: isTurn ? commits() : undefined }, ({ name, caughtBy, said, ms }) => {
    const how = caughtBy === undefined ? 'NOT CAUGHT' : `caught by ${caughtBy}: ${said}`
    tell(`${name}  ${how}  (${(ms / 1_000).toFixed(1)} s)`)
  })
  const caught = judged.filter(({ caughtBy }) => caughtBy !== undefined).length
  tell(`${caught} of ${judged.length} mutants caught`)
  return caught === judged.length && judged.length > 0 ? 0 : 1
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '3' },
      seed: { type: 'string' },
      engine: { type: 'string', multiple: true, default: possibleEngines },
      fault: { type: 'string' },
      write: { type: 'string' },
      simulate: { type: 'string' },
      model: { type: 'string' },
      stop: { type: 'boolean', default: false },
      mutants: { type: 'string' },
      turn: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const { minutes, engine, fault, write, simulate, model, mutants, turn } = values
  if (simulate !== undefined) return simulation(Number(values.seed ?? 1), Number(simulate), values.stop)
  if (model !== undefined) return modelWalk(Number(values.seed ?? 1), Number(model))
  if (mutants !== undefined) return mutantRun(mutants, turn)
  const seed = values.seed ?? String(Date.now() % 1_000_000_000)
  const unknown = engine.find((name) => !(name in engines))
  if (unknown !== undefined) throw new Error(`unknown engine "${unknown}"`)
  if (!(Number(minutes) > 0 && Number.isInteger(Number(seed)))) throw new Error('minutes and seed are numbers')
  tell(`seed ${seed}`)
  const options = { minutes: Number(minutes), seed: Number(seed), engines: engine, tell }
  const outcome = await torture({ ...options, ...(fault === undefined ? {} : { fault }) })
  const simulated = await simulateMany(
    options.seed,
    fault === undefined ? Math.ceil(options.minutes * seedsAMinute) : 0,
  )
  const walked = await walk(
    engine,
    options.seed,
    fault === undefined ? Math.ceil(options.minutes * sequencesAMinute) : 0,
  )
  const report = reportOf(outcome, simulated, walked)
  const markdown = markdownOf(report)
  tell(`\n${markdown}`)
  if (write !== undefined) {
    writeFileSync(write, markdown)
    writeFileSync(`${write.replace(/\.md$/, '')}.json`, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return report.held ? 0 : 1
}
