/** What the loop grants and tells the leases that it has under way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { deliver, leaseMs, startLoop } from '../../test/loop.ts'
import type { Turn } from './worker.ts'

test('the loop lets each lease have the more in hand the fewer are under way, and nothing once it must stop', async () => {
  const turns: Turn[] = []
  const end = Promise.withResolvers<void>()
  const { loop, arrive } = startLoop(async (lease, inbox, turn) => {
    turns.push(turn)
    await end.promise
    await deliver(lease, inbox)
  }, 16)
  for (const [org, share] of [
    ['1', 16],
    ['2', 8],
    ['3', 5],
  ] as const) {
    await arrive(org)
    await eventually(() => turns.length === Number(org))
    assert.deepEqual(new Set(turns.map((turn) => turn.share())), new Set([share]))
  }
  const stopping = loop.stop()
  assert.equal(turns[0]!.share(), 0)
  end.resolve()
  await stopping
})

test('the loop gives other accounts their turn beside some that never stop', async () => {
  const served: string[] = []
  let isOver = false
  const { loop, arrive } = startLoop(async (lease, inbox, turn) => {
    served.push(lease.org)
    while (lease.org !== 'quiet' && turn.share() > 0 && !isOver) await new Promise(setImmediate)
    await deliver(lease, inbox)
  }, 2)
  await arrive('flood')
  await eventually(() => served.length === 1)
  await new Promise(setImmediate)
  await arrive('another flood')
  await arrive('quiet')
  await eventually(() => served.includes('quiet')).finally(() => {
    isOver = true
  })
  await loop.stop()
})

test('the loop tells a lease what has come for its account, and asks the store for nothing else then', async () => {
  const heard: boolean[] = []
  const end = Promise.withResolvers<void>()
  const { loop, arrive, counted } = startLoop(async (lease, inbox, turn) => {
    turn.onWake((anywhere) => heard.push(anywhere))
    await end.promise
    await deliver(lease, inbox)
  })
  await arrive('1')
  await eventually(() => counted.claims === 2)
  loop.wake('1')
  loop.due()
  await eventually(() => counted.claims === 3)
  loop.wake('1')
  await new Promise(setImmediate)
  assert.deepEqual([heard, counted.claims], [[false, false], 3])
  loop.wake()
  assert.deepEqual(heard, [false, false, true], 'its whole line may have changed')
  end.resolve()
  await loop.stop()
})

test('the loop claims nothing for what has come behind what was due, and a lease under way hears of it', async () => {
  const heard: boolean[] = []
  const end = Promise.withResolvers<void>()
  const { loop, arrive, counted } = startLoop(async (lease, inbox, turn) => {
    turn.onWake((anywhere) => heard.push(anywhere))
    await end.promise
    await deliver(lease, inbox)
  })
  await arrive('1')
  await eventually(() => counted.claims === 2)
  loop.wake('2', false)
  loop.wake('1', false)
  await new Promise(setImmediate)
  assert.deepEqual([heard, counted.claims], [[false], 2])
  loop.wake('2', true)
  await eventually(() => counted.claims === 3)
  end.resolve()
  await loop.stop()
})

test('the loop tells a lease also of what came while it was being claimed, and not of what came for others', async () => {
  const heard: [string, boolean][] = []
  const { loop, inbox, arrive } = startLoop(async (lease, store, turn) => {
    turn.onWake((anywhere) => heard.push([lease.org, anywhere]))
    await deliver(lease, store)
  })
  const claim = inbox.claim
  let isFirst = true
  inbox.claim = async (...args) => {
    const lease = await claim(...args)
    if (isFirst) for (const org of ['1', '3']) loop.wake(org)
    isFirst = false
    return lease
  }
  await arrive('1')
  await arrive('2')
  await eventually(async () => heard.length > 0 && (await inbox.nextDue('send')) === undefined)
  await loop.stop()
  assert.deepEqual(heard, [['1', false]])
})

test('the loop lets no lease go on beside what may have ended the process', async () => {
  const shares: number[] = []
  const { loop, arrive, inbox, clock } = startLoop(async (lease, store, turn) => {
    shares.push(turn.share())
    await deliver(lease, store)
  })
  const start = loop.wake
  loop.wake = () => {}
  await arrive('a')
  for (let deaths = 0; deaths < 3; deaths++) {
    await inbox.claim('send', { now: clock.now(), leaseMs, limit: 10, bytesMax: 1_000, room: 1 })
    clock.advance(leaseMs)
  }
  start()
  await eventually(() => shares.length === 1)
  await loop.stop()
  assert.deepEqual(shares, [0])
})
