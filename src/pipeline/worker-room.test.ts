import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { deliver, startLoop } from '../../test/loop.ts'

describe('a loop that has room for some accounts', () => {
  test('has no more accounts at work than may be, and does not count those that wait for a partner', async () => {
    const answer = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const begun: string[] = []
    const { loop, arrive } = startLoop(
      async (lease, inbox, turn) => {
        begun.push(lease.org)
        if (lease.org === 'slow') await turn.away(() => answer.promise)
        else await goOn.promise
        await deliver(lease, inbox)
      },
      10,
      2,
    )
    await arrive('slow')
    await eventually(() => begun.length === 1)
    for (let org = 1; org <= 4; org++) await arrive(String(org))
    await eventually(() => begun.length === 3)
    await new Promise(setImmediate)
    assert.deepEqual(begun, ['slow', '1', '2'])
    goOn.resolve()
    await eventually(() => begun.length === 5)
    answer.resolve()
    await loop.stop()
  })

  test('takes up another account as soon as one at work begins to wait for a partner', async () => {
    const waits = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const begun: string[] = []
    const { loop, arrive } = startLoop(
      async (lease, inbox, turn) => {
        begun.push(lease.org)
        if (lease.org === '1') {
          await waits.promise
          await turn.away(() => answer.promise)
        }
        await deliver(lease, inbox)
      },
      10,
      1,
    )
    await arrive('1')
    await eventually(() => begun.length === 1)
    await arrive('2')
    await new Promise(setImmediate)
    assert.deepEqual(begun, ['1'])
    waits.resolve()
    await eventually(() => begun.length === 2)
    answer.resolve()
    await loop.stop()
  })

  test('tells the store when it asks because its own leases have ended, and when there may be more', async () => {
    let [done, fails] = [0, false]
    const { loop, arrive, inbox } = startLoop(async (lease, store) => {
      done++
      if (fails) throw new Error('a fault')
      await deliver(lease, store)
    })
    const { claim } = inbox
    const asked: boolean[] = []
    inbox.claim = async (lane, options) => {
      asked.push(options.onlyEnded ?? false)
      return claim(lane, options)
    }
    const worked = async (claims: number) => {
      const before = asked.length
      await arrive('1')
      await eventually(() => asked.length === before + claims)
      return asked.slice(before)
    }
    // The first claims go through all, as after every start; the last of them follows the end of the lease.
    await worked(3)
    assert.deepEqual([await worked(2), done], [[false, true], 2])
    fails = true
    assert.deepEqual([await worked(2), done], [[false, false], 3])
    await loop.stop()
  })
})
