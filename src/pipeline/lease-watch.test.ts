/** How long a lease's holder may go by the store's last answer that the lease is its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../test/clock.ts'
import { lookAt } from '../lib/clock.ts'
import { sendLane } from '../storage/ports/entry.ts'
import type { Lease } from '../storage/ports/inbox.ts'
import { watchLease } from './lease-watch.ts'
import { trustMs } from './until-gone.ts'

const lease: Lease = { ...sendLane('1'), token: 1, failures: 0, crashes: 0, entries: [], bodies: [] }

function watched(leaseMs = 60_000, renewMs = 0) {
  const clock = manualClock()
  const seen = { renewals: 0, isOurs: true }
  const inbox = {
    async renew() {
      seen.renewals++
      clock.advance(seen.renewals === 1 ? renewMs : 0)
      return seen.isOurs
    },
  }
  return { clock, seen, isOurs: watchLease({ inbox, clock, leaseMs }, lease, lookAt(clock)) }
}

test('a holder asks the store again when its last answer is older than erasing waits, and stops when it is refused', async () => {
  const { clock, seen, isOurs } = watched()
  clock.advance(trustMs - 1)
  assert.deepEqual([await isOurs(), seen.renewals], [true, 0])
  clock.advance(1)
  assert.deepEqual([await isOurs(), seen.renewals], [true, 1])
  seen.isOurs = false
  clock.advance(trustMs - 1)
  assert.deepEqual([await isOurs(), seen.renewals], [true, 1])
  clock.advance(1)
  assert.equal(await isOurs(), false)
})

test('an answer of the store that took longer than erasing waits counts for nothing: the store is asked again', async () => {
  const { clock, seen, isOurs } = watched(60_000, trustMs)
  clock.advance(trustMs)
  assert.deepEqual([await isOurs(), seen.renewals], [true, 2])
})

test('a short lease is renewed when a third of it has passed', async () => {
  const { clock, seen, isOurs } = watched(300)
  clock.advance(100)
  assert.deepEqual([await isOurs(), seen.renewals], [true, 1])
})
