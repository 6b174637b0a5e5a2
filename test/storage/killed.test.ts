/** kill -9 on the process that holds the store, on every engine: what was acknowledged is kept, what was not is whole. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { append, arrival, claimOne, conserved } from '../../src/storage/conformance.ts'
import { openStorage } from '../../src/storage/open.ts'
import { endChild, startChild } from '../children.ts'
import { engines, type Stores } from '../engines.ts'

/** Late enough for every lease of the child's to have run out. */
const claimOptions = { now: 4_000_000, leaseMs: 60_000, limit: 10_000, bytesMax: 100_000_000 }

for (const engine of engines) {
  describe(`kill -9 on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let url: string
    before(async () => {
      stores = await engine.start()
    })
    beforeEach(async () => {
      url = await stores.fresh()
    })
    after(() => stores.close())
    async function child(job: string): Promise<{
      process: ChildProcess
      said: string[]
      heard(count: number): Promise<void>
      kill(): Promise<unknown>
    }> {
      const file = fileURLToPath(new URL('./child.ts', import.meta.url))
      const started = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', file, url, job], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const said: string[] = []
      let rest = ''
      let check = () => {}
      started.stdout!.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        said.push(...lines)
        check()
      })
      return {
        process: started,
        said,
        heard: (count) =>
          new Promise((resolve, reject) => {
            check = () => void (said.length >= count && resolve())
            started.once('exit', () => reject(new Error('the child ended by itself')))
            check()
          }),
        kill: () => endChild(started),
      }
    }

    test('loses nothing that was acknowledged, and keeps each once', { timeout: 60_000 }, async () => {
      const acknowledged: string[] = []
      for (const many of [1, 40, 300]) {
        const writer = await child('append')
        await writer.heard(many)
        await writer.kill()
        acknowledged.push(...writer.said)
      }
      const storage = await openStorage(url, 'serve')
      const kept = (await claimOne(storage.inbox, 'send', claimOptions))!.entries.map(({ messageId }) => messageId)
      assert.deepEqual(
        acknowledged.filter((messageId) => !kept.includes(messageId)),
        [],
      )
      assert.equal(new Set(kept).size, kept.length)
      await conserved(storage)
      await storage.close()
    })

    test('between claim and settle leaves a lease that the next one gets when it may, and the crash is counted', {
      timeout: 60_000,
    }, async () => {
      const before = await openStorage(url, 'serve')
      await append(before, [arrival(), arrival()])
      await before.close()
      const holder = await child('claim')
      await holder.heard(1)
      await holder.kill()
      const storage = await openStorage(url, 'serve')
      const lease = await claimOne(storage.inbox, 'send', claimOptions)
      assert.deepEqual([lease?.entries.length, lease?.crashes], [2, 1])
      await storage.close()
    })

    test('while settling leaves each entry settled or not, and the counts agree', { timeout: 60_000 }, async () => {
      const before = await openStorage(url, 'serve')
      await append(
        before,
        Array.from({ length: 500 }, () => arrival()),
      )
      await before.close()
      const settler = await child('settle')
      await settler.heard(60)
      await settler.kill()
      const storage = await openStorage(url, 'serve')
      await conserved(storage)
      const totals = await storage.ledger.totals()
      const delivered = totals.find(({ outcome }) => outcome === 'delivered')?.count ?? 0
      assert.ok(delivered >= settler.said.length - 1, 'what was said to be settled is')
      const left = new Set(
        (await claimOne(storage.inbox, 'send', claimOptions))?.entries.map(({ messageId }) => messageId),
      )
      assert.equal(left.size, 500 - delivered)
      assert.deepEqual(
        settler.said.filter((messageId) => left.has(messageId)),
        [],
      )
      await storage.close()
    })
  })
}
