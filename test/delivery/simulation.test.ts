/**
 * The same pipeline with a clock, a store, partners and luck of its own: every run of a seed is the same, so what one
 * finds can be found again. The store forgets what it has not synced; the ledger is that of the torture.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { append, arrival } from '../../src/storage/conformance.ts'
import { promises } from '../../src/storage/conformance-promises.ts'
import { found, simulateMany } from '../../torture/simulation/seeds.ts'
import { openDisk } from '../../torture/simulation/store.ts'
import { startProcess } from '../../torture/simulation/time.ts'
import { simulate } from '../../torture/simulation/world.ts'
import { type ManualClock, manualClock, seeded } from '../clock.ts'

describe('the simulated store', () => {
  /** No timer waits: whatever is due later is due at once. */
  const impatient: ManualClock = {
    ...manualClock(),
    after(_delayMs, callback) {
      const immediate = setImmediate(callback)
      return () => clearImmediate(immediate)
    },
  }
  for (const { promise, check } of promises)
    test(promise, () => check(openDisk(impatient, seeded(1)).openFor(startProcess(1, impatient))))

  test('forgets with a crash what it has not answered, and nothing else', async () => {
    let least = 10
    for (let seed = 0; seed < 50; seed++) {
      const world = manualClock()
      const disk = openDisk(world, seeded(seed))
      const process = startProcess(1, world)
      const { inbox } = disk.openFor(process)
      const one = (n: number) => arrival({ identity: Buffer.from(`${n}`), messageId: `m${n}` })
      const kept = append({ inbox }, [one(0)])
      world.advance(10)
      await new Promise(setImmediate)
      world.advance(10)
      assert.deepEqual(await kept, ['stored'])
      let answers = 0
      for (let n = 1; n <= 4; n++) void append({ inbox }, [one(n)]).then(() => answers++)
      process.isDead = true
      disk.crash(process)
      world.advance(1_000)
      await new Promise(setImmediate)
      const { entries } = await disk.storage.lookup.find({}, { limit: 10 })
      assert.ok(entries.some(({ messageId }) => messageId === 'm0'))
      assert.equal(answers, 0)
      least = Math.min(least, entries.length)
    }
    assert.equal(least, 1, 'at times all of it is gone')
  })
})

describe('the simulation', () => {
  test('is the same again with the same seed, and another with another', { timeout: 60_000 }, async () => {
    const [one, again, other] = [await simulate(11), await simulate(11), await simulate(12)]
    assert.deepEqual(again, one)
    assert.notDeepEqual(other, one)
  })

  test('holds every invariant, and meets every fault', { timeout: 300_000 }, async () => {
    const { broken, faults, retransmissions, accepted } = await simulateMany(1, 20)
    assert.deepEqual(broken, [])
    assert.ok(retransmissions > 1_000 && accepted > 4_000)
    assert.equal(Object.keys(faults).length, 10)
  })

  for (const { seed, what } of found)
    test(`seed ${seed}: ${what}`, async () => assert.deepEqual((await simulate(seed)).broken, []))
})
