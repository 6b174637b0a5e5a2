/** Every engine against a small model, in any order of steps: see torture/model/. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import { openInMemory } from '../../src/storage/sqlite/in-memory.ts'
import { walkModel } from '../../torture/model/walk.ts'
import { engines } from '../engines.ts'

/** The same sequences each time, so that a change that breaks one is to blame; STORE_SEED tries others. */
const seed = Number(process.env.STORE_SEED ?? 20_261_126)
const many = Number(process.env.STORE_SEQUENCES ?? 60)

describe('a store is as a small model says, at each of its destinations, whatever is done in whatever order', () => {
  test('SQLite in memory', { timeout: 600_000 }, async () => {
    const open = async () => {
      const storage = openInMemory()
      return { storage, close: () => storage.close() }
    }
    assert.ok((await walkModel(open, { seed, sequences: many })) > 1_000)
  })

  for (const { name, skip, start } of engines.filter((engine) => engine.name !== 'sqlite')) {
    test(name, { skip, timeout: 600_000 }, async () => {
      const stores = await start()
      try {
        const open = async () => {
          const storage = await openStorage(await stores.fresh(), 'serve')
          return { storage, close: () => storage.close() }
        }
        assert.ok((await walkModel(open, { seed, sequences: Math.ceil(many / 6) })) > 100)
      } finally {
        await stores.close()
      }
    })
  }
})
