/** An account's figures where more events wait than are counted one by one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { append, arrival, one } from '../../src/storage/conformance.ts'
import { openStorage } from '../../src/storage/open.ts'
import { tallyMax } from '../../src/storage/ports/lookup.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'
import { engines, type Stores } from '../engines.ts'

const minute = 60_000
/** Before, in and after the time that is asked for. */
const many = [tallyMax - 100, 200, 300] as const

for (const engine of engines)
  describe(`more waiting events than are counted, on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let storage: Storage
    before(async () => {
      stores = await engine.start()
      storage = await openStorage(await stores.fresh(), 'create')
      for (const [at, count] of many.entries())
        for (let kept = 0; kept < count; kept += 1_000) {
          const receivedAt = (10 * at + 1) * minute
          await append(
            storage,
            Array.from({ length: Math.min(1_000, count - kept) }, () => arrival({ receivedAt })),
          )
        }
    })
    after(async () => {
      await storage.close()
      await stores.close()
    })

    const shown = async (from: number, to: number) => {
      const { backlog, open } = await storage.ledger.snapshot(one, { from: from * minute, to: to * minute })
      return { all: backlog[0]!.count, open: open.map(({ count, isCut }) => [count, isCut ?? false]) }
    }
    const sum = many.reduce((all, count) => all + count)

    test('all of them are told by what was counted', async () => {
      assert.equal((await shown(0, 100)).all, sum)
    })

    test('those of a time are counted where they are few', async () => {
      assert.deepEqual((await shown(11, 12)).open, [[many[1], false]])
    })

    test('those of a time are told exactly where the others are few', async () => {
      assert.deepEqual((await shown(0, 15)).open, [[many[0] + many[1], false]])
      assert.deepEqual((await shown(0, 100)).open, [[sum, false]])
    })

    test('a tally says how many there are at least', async () => {
      const { rows, isCut } = await storage.lookup.tally({ org: one, states: ['waiting'] })
      assert.deepEqual([isCut, rows.map(({ state }) => state)], [true, ['waiting']])
      assert.ok(rows[0]!.count > tallyMax)
    })
  })
