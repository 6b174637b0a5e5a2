import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { manualClock } from '../../../test/clock.ts'
import { laneOf } from '../conformance.ts'
import type { Lease } from '../ports/inbox.ts'
import { openWaking } from './waking.ts'

const options = { now: 0, leaseMs: 1, limit: 1, bytesMax: 1, room: 2 }
const woken = laneOf
const leaseOf = (org: string): Lease => ({
  ...laneOf(org),
  token: 1,
  failures: 0,
  crashes: 0,
  entries: [],
  bodies: [],
})

describe('of a lane that has woken up', () => {
  let clock: ReturnType<typeof manualClock>
  let told: number
  let waking: ReturnType<typeof openWaking>
  beforeEach(() => {
    clock = manualClock()
    told = 0
    waking = openWaking(() => told++, clock)
  })
  const claims = (...leases: Lease[]) => waking.claiming(async () => ({ leases }))('send', options)

  test('the other replicas hear nothing when the one where it woke claims it at once', async () => {
    waking.woke([woken('1')])
    await claims(leaseOf('1'))
    await clock.advance(1_000)
    assert.equal(told, 0)
  })

  test('the other replicas hear once, soon, when the one where it woke has no room', async () => {
    waking.woke([woken('1'), woken('2')])
    waking.woke([woken('3')])
    await clock.advance(25)
    assert.equal(told, 1)
  })

  test('the other replicas hear when there was room for other accounts only, or in the other lane', async () => {
    waking.woke([woken('1'), woken('2'), woken('3'), woken('1', 'ask')])
    await claims(leaseOf('1'), leaseOf('2'))
    await clock.advance(25)
    assert.equal(told, 1)
    waking.woke([woken('1', 'ask')])
    await claims()
    await clock.advance(25)
    assert.equal(told, 2)
  })

  test('the other replicas hear nothing when a claim that began later finds nothing, or has room left', async () => {
    waking.woke([woken('1')])
    await claims()
    await clock.advance(25)
    waking.woke([woken('1')])
    await claims(leaseOf('2'))
    await clock.advance(25)
    assert.equal(told, 0)
  })

  test('the other replicas hear when only a claim that began before it woke found nothing', async () => {
    await waking.claiming(async () => {
      waking.woke([woken('1')])
      return { leases: [] }
    })('send', options)
    await clock.advance(25)
    assert.equal(told, 1)
  })

  test('the other replicas hear when the one where it woke stops', () => {
    waking.woke([woken('1')])
    waking.close()
    assert.equal(told, 1)
  })
})
