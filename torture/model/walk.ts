/**
 * What a store must do, said by a few maps: several destinations, events that share a body, and any order of steps. After
 * each step every event stands at every destination where the model says, the queues are in the model's order, the sums
 * hold, and the engine's own rules find nothing.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { conserved } from '../../src/storage/conformance.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'
import { openInMemory } from '../../src/storage/sqlite/in-memory.ts'
import { keptSteps } from './kept-steps.ts'
import { keys, Model, orgs, type Step, type World } from './model.ts'
import { waySteps } from './way-steps.ts'

async function compare({ model, storage }: World): Promise<void> {
  for (const of of orgs) {
    const here = [...model.events.values()].filter((event) => event.org === of)
    for (const number of model.live(of)) {
      const { entries } = await storage.lookup.find({ org: of, destination: number }, { limit: 500 })
      const shown = new Map(entries.map((entry) => [entry.messageId, entry]))
      assert.deepEqual([...shown.keys()].sort(), here.map(({ messageId }) => messageId).sort())
      for (const event of here) {
        const { state, mapping, sending = 0 } = shown.get(event.messageId)!
        const chosen = event.chosen.get(number)
        const wanted = {
          state: event.before ?? event.at.get(number)?.state ?? 'not_given',
          mapping: chosen?.mapping ?? event.mapping,
          sending: chosen?.sending ?? 0,
        }
        assert.deepEqual({ state, mapping, sending }, wanted, `${event.messageId} at ${number}`)
      }
    }
    const had = await storage.inbox.occurred(
      of,
      keys.map((key) => Buffer.from(key)),
    )
    const wanted = keys.map((key) => model.live(of).filter((number) => model.had(of).has(`${key} ${number}`)))
    assert.deepEqual(had, wanted, `natural keys of ${of}`)
  }
  await conserved(storage)
  assert.deepEqual(await storage.examine(), [])
}

const often = ['append', 'claim', 'settle']
const seldom = ['claimOnInstall', 'erase', 'expire', 'addDestination', 'removeDestination']

const sequence = fc.array(
  fc.oneof(
    ...Object.entries<fc.Arbitrary<Step>>({ ...waySteps, ...keptSteps }).map(([name, arbitrary]) => ({
      weight: often.includes(name) ? 5 : seldom.includes(name) ? 1 : 2,
      // So that what is found is told by the names of its steps.
      arbitrary: arbitrary.map((step) => Object.assign(step, { [fc.toStringMethod]: () => name })),
    })),
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

/**
 * So many sequences of steps, each on a store of its own; throws at the first in which the engine is not as the model.
 * `lookEvery`: it is compared after each such step and after the last of a sequence, besides what the steps themselves see.
 * Resolves to how many steps were taken.
 */
export async function walkModel(
  open: () => Promise<{ storage: Storage; close(): Promise<void> }>,
  { seed, sequences, lookEvery = 1 }: { seed: number; sequences: number; lookEvery?: number },
): Promise<number> {
  let taken = 0
  const walk = fc.asyncProperty(sequence, async (all) => {
    const { storage, close } = await open()
    const world: World = { model: new Model(), storage, now: 1_800_000_000_000 }
    try {
      for (const [at, step] of all.entries()) {
        world.now += 60_000
        await step(world)
        if ((at + 1) % lookEvery === 0 || at === all.length - 1) await compare(world)
        taken++
      }
    } finally {
      await close()
    }
  })
  await fc.assert(walk, { seed, numRuns: sequences, includeErrorInReport: true })
  return taken
}

/** Sequences that one seed makes. */
const sequencesEach = 500
/** To look takes ten times as long as to take a step: so a million steps take ten minutes of processor time. */
const looksEvery = 4

/** So many steps at least on SQLite in memory, from this seed on; throws as `walkModel` does. `told` hears how far it is. */
export async function walkFar(
  { seed, steps }: { seed: number; steps: number },
  told: (taken: number, nextSeed: number) => void,
): Promise<void> {
  const open = async () => {
    const storage = openInMemory()
    return { storage, close: () => storage.close() }
  }
  for (let [taken, next] = [0, seed]; taken < steps; told(taken, next)) {
    taken += await walkModel(open, { seed: next++, sequences: sequencesEach, lookEvery: looksEvery })
  }
}
