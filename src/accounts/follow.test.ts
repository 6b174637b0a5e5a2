/** What another process changed of an account is known here, also where the store was away when it was to be read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { manualClock } from '../../test/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Org } from '../storage/ports/entry.ts'
import { follower } from './follow.ts'

const turn = () => new Promise(setImmediate)

function startFollower() {
  const clock = manualClock()
  const read: (Org | undefined)[] = []
  const state = { isAway: false, woken: 0, keys: 0 }
  const reload = async (_now: number, org?: Org) => {
    if (state.isAway) throw new Error('away')
    read.push(org)
  }
  const { changed, stop } = follower({
    accounts: { reload } as Parameters<typeof follower>[0]['accounts'],
    keyring: { reload: async () => void state.keys++ } as Parameters<typeof follower>[0]['keyring'],
    clock,
    log: silentLog,
    wake: () => void state.woken++,
  })
  return { clock, read, state, changed, stop }
}

describe('an account that another process has changed', () => {
  test('is read once however often it is said meanwhile, and then something may be due', async () => {
    const { read, state, changed } = startFollower()
    for (const org of ['1', '2', '2', '2']) changed(org)
    await turn()
    assert.deepEqual([read, state], [['1', '2'], { isAway: false, woken: 2, keys: 0 }])
  })

  test('is read a second later where the store was away, and so is what changed meanwhile', async () => {
    const { clock, read, state, changed } = startFollower()
    state.isAway = true
    changed('1')
    await turn()
    changed('2')
    clock.advance(1_000)
    await turn()
    assert.deepEqual([read, state.woken], [[], 0])
    state.isAway = false
    clock.advance(1_000)
    await turn()
    assert.deepEqual([read, state.woken], [['1', '2'], 1])
  })

  test('is read with all others, and with the data keys, where it may be any', async () => {
    const { read, state, changed } = startFollower()
    changed(undefined)
    await turn()
    assert.deepEqual([read, state.keys], [[undefined], 1])
  })

  test('is not read any more after the end', async () => {
    const { clock, read, state, changed, stop } = startFollower()
    state.isAway = true
    changed('1')
    await turn()
    stop()
    state.isAway = false
    clock.advance(10_000)
    await turn()
    assert.deepEqual(read, [])
  })
})
