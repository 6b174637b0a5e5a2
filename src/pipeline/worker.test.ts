import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually, timePasses } from '../../test/clock.ts'
import { deliver, leaseMs, startLoop } from '../../test/loop.ts'
import { Problem } from '../lib/errors.ts'
import { claimOne } from '../storage/conformance.ts'

describe('the loop', () => {
  test('works on whatever arrives, and asks the store for nothing while nothing does', async () => {
    const done: string[] = []
    const { loop, arrive, counted, clock } = startLoop(async (lease, inbox) => {
      done.push(...lease.entries.map(({ messageId }) => messageId))
      await deliver(lease, inbox)
    })
    for (let many = 0; many < 50; many++) await arrive(String(many % 5))
    await eventually(() => done.length === 50)
    await loop.stop()
    const { claims } = counted
    assert.ok(claims <= 50 * 3, `${claims} claims for 50 arrivals`)
    clock.advance(24 * 3_600_000)
    loop.wake()
    assert.equal(counted.claims, claims)
  })

  test('misses nothing that arrives at whatever moment of a claim', async () => {
    let worked = 0
    const { loop, arrive, inbox } = startLoop(async (lease, store) => {
      worked += lease.entries.length
      await deliver(lease, store)
    })
    const claim = inbox.claim
    let late = 20
    inbox.claim = async (lane, options) => {
      const claimed = await claim(lane, options)
      // The store has looked already, and the loop has not heard yet that nothing waits.
      if (late-- > 0) await arrive('1')
      return claimed
    }
    loop.wake()
    await eventually(() => worked === 20)
    await loop.stop()
  })

  test('has no more accounts under way than it may, and one that hangs keeps none of the others', async () => {
    const { promise: never, resolve: letGo } = Promise.withResolvers<void>()
    const done = new Set<string>()
    let [underWay, most] = [0, 0]
    const { loop, arrive } = startLoop(async (lease, inbox) => {
      most = Math.max(most, ++underWay)
      if (lease.org === 'hangs') await never
      await deliver(lease, inbox)
      underWay--
      done.add(lease.org)
    })
    await arrive('hangs')
    for (let org = 0; org < 30; org++) await arrive(String(org))
    await eventually(() => done.size === 30)
    assert.ok(!done.has('hangs') && most <= 3)
    letGo()
    await loop.stop()
    assert.ok(done.has('hangs'), 'stopping waits for what is under way')
  })

  test('leases with one claim as many accounts as it has room for', async () => {
    const done: string[] = []
    const end = Promise.withResolvers<void>()
    const { loop, arrive, counted, clock } = startLoop(async (lease, inbox) => {
      done.push(lease.org)
      await end.promise
      await deliver(lease, inbox)
    }, 10)
    const start = loop.wake
    loop.wake = () => {}
    for (let org = 0; org < 9; org++) await arrive(String(org))
    start('none')
    await eventually(() => done.length === 9)
    await new Promise(setImmediate)
    // The first two go through all as after every start, and see that they have; the last account has a claim of its own.
    assert.ok(counted.claims <= 3, `${counted.claims} claims`)
    end.resolve()
    await loop.stop()
    assert.equal(clock.untilNext(), undefined)
  })

  test('wakes by itself when a lane is due again, and not before', async () => {
    let tries = 0
    const { clock, loop, arrive, counted } = startLoop(async (lease, inbox) => {
      await (++tries < 4
        ? inbox.settle(lease, [], { readyAt: clock.now() + 10_000, failures: tries })
        : deliver(lease, inbox))
    })
    await arrive('1')
    for (let round = 1; round < 4; round++) {
      await eventually(() => tries === round && clock.untilNext() === 10_000)
      clock.advance(9_999)
      await new Promise(setImmediate)
      assert.equal(tries, round)
      clock.advance(1)
    }
    await eventually(() => tries === 4)
    await loop.stop()
    assert.ok(counted.claims < 16, `${counted.claims} claims`)
  })

  test('leaves a store alone for a second that has failed', async () => {
    let worked = 0
    const { clock, loop, arrive, counted, errors } = startLoop(async (lease, inbox) => {
      worked++
      await deliver(lease, inbox)
    })
    counted.broken = true
    await arrive('1')
    for (let failures = 1; failures <= 5; failures++) {
      await eventually(() => errors.length === failures && clock.untilNext() === 1_000)
      clock.advance(1_000)
    }
    counted.broken = false
    await eventually(() => {
      clock.advance(100)
      return worked === 1
    })
    await loop.stop()
    assert.ok(counted.claims <= 9, `${counted.claims} claims`)
  })

  test('takes over what a crash left, when its lease has run out', async () => {
    const seen: number[] = []
    const { clock, loop, arrive, errors } = startLoop(async (lease, inbox) => {
      seen.push(lease.crashes)
      if (seen.length < 3) throw new Error('a bug')
      await deliver(lease, inbox)
    })
    await arrive('1')
    for (let crashes = 1; crashes < 3; crashes++) {
      await eventually(() => errors.length === crashes && clock.untilNext() === leaseMs)
      clock.advance(leaseMs)
    }
    await eventually(() => seen.length === 3)
    assert.deepEqual(seen, [0, 1, 2])
    await loop.stop()
  })

  test('takes its own lease back as soon as the store answers again, and counts no crash', async () => {
    const codes = 'store_unreachable store_full store_failed store_busy store_refused'.split(' ')
    const seen: number[] = []
    const { clock, loop, arrive, counted, errors } = startLoop(async (lease, inbox) => {
      seen.push(lease.crashes)
      if (seen.length < 15) throw new Problem(codes[seen.length % codes.length]!, 'nothing could be settled')
      await deliver(lease, inbox)
    })
    counted.lost = true
    await arrive('1')
    await eventually(() => errors.length === 1)
    counted.lost = false
    const startedAt = clock.now()
    await timePasses(clock, () => seen.length === 15)
    assert.ok(clock.now() - startedAt <= 16_000, `${clock.now() - startedAt} ms`)
    await loop.stop()
    assert.deepEqual(new Set(seen), new Set([0]))
    assert.deepEqual(errors, ['claim_failed', ...Array<string>(14).fill('work_failed')])
  })

  test('does not take what it works on a second time, though the clock says that the lease has run out', async () => {
    const end = Promise.withResolvers<void>()
    const done: string[] = []
    const { clock, loop, arrive } = startLoop(async (lease, inbox) => {
      done.push(lease.org)
      await end.promise
      await deliver(lease, inbox)
    })
    await arrive('1')
    await eventually(() => done.length === 1)
    clock.advance(24 * 3_600_000)
    await arrive('1')
    await arrive('2')
    await eventually(() => done.length === 2)
    assert.deepEqual(done, ['1', '2'])
    end.resolve()
    await eventually(() => done.length === 3)
    await loop.stop()
    assert.deepEqual(done, ['1', '2', '1'])
  })

  test('quarantines what it always breaks on, whatever is queued before it, and nothing else', async () => {
    const done: string[] = []
    const { clock, loop, arrive, errors, ledger } = startLoop(async (lease, inbox) => {
      const said = lease.entries.map(({ messageId }) => messageId)
      if (said.includes('m4')) throw new Error('a bug')
      done.push(...said)
      await deliver(lease, inbox)
    })
    const start = loop.wake
    loop.wake = () => {}
    for (let many = 0; many < 6; many++) await arrive('1')
    start()
    for (let crashes = 1; crashes <= 13; crashes++) {
      await eventually(() => errors.length === crashes && clock.untilNext() === leaseMs)
      clock.advance(leaseMs)
    }
    await eventually(() => done.length === 5)
    await loop.stop()
    assert.deepEqual(done, ['m1', 'm2', 'm3', 'm5', 'm6'])
    assert.deepEqual(errors, [...Array<string>(13).fill('work_failed'), 'quarantined'])
    const unsent = (await ledger.backlog()).map(({ state, reason, count }) => [state, reason, count])
    assert.deepEqual(
      unsent.filter(([state]) => state !== 'delivered'),
      [['quarantined', 'crashes', 1]],
    )
  })

  test('after stopping takes nothing new', async () => {
    let worked = 0
    const { clock, loop, arrive } = startLoop(async () => void worked++)
    await loop.stop()
    await arrive('1')
    clock.advance(3_600_000)
    await new Promise(setImmediate)
    assert.equal(worked, 0)
    assert.equal(clock.untilNext(), undefined)
  })

  test('works alone on what may have ended the process: only its own account is blamed when it does so again', async () => {
    const seen: [org: string, beside: number][] = []
    let underWay = 0
    const { loop, arrive, inbox, clock } = startLoop(async (lease, store) => {
      seen.push([lease.org, underWay++])
      await new Promise(setImmediate)
      await deliver(lease, store)
      underWay--
    })
    const start = loop.wake
    loop.wake = () => {}
    for (const org of ['a', 'b', 'c']) await arrive(org)
    for (let deaths = 0; deaths < 3; deaths++) {
      for (let many = 0; many < 3; many++)
        await claimOne(inbox, 'send', { now: clock.now(), leaseMs, limit: 10, bytesMax: 1_000 })
      clock.advance(leaseMs)
    }
    await arrive('d')
    start()
    await eventually(() => seen.length === 4)
    await loop.stop()
    for (const org of ['a', 'b', 'c'])
      assert.deepEqual(
        seen.find(([one]) => one === org),
        [org, 0],
      )
  })
})
