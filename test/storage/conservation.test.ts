/** The conservation law on every engine: see torture/conservation.ts, which takes the steps. */
import { describe, test } from 'node:test'
import { walkStores } from '../../torture/conservation.ts'
import { engines } from '../engines.ts'

/** The same sequences each time, so that a change that breaks one is to blame; the torture and CONSERVATION_SEED try others. */
const seed = Number(process.env.CONSERVATION_SEED ?? 20_261_124)

describe('nothing is lost or counted twice, whatever is done in whatever order', () => {
  for (const { name, skip, start } of engines) {
    test(`on ${name}, step by step as in memory`, { skip }, async () => {
      const stores = await start()
      try {
        await walkStores(stores.fresh, seed, 8)
      } finally {
        await stores.close()
      }
    })
  }
})
