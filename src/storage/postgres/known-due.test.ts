import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { laneOf } from '../conformance.ts'
import type { Claimed, ClaimOptions, Lease } from '../ports/inbox.ts'
import { openKnownDue } from './known-due.ts'

const options: ClaimOptions = { now: 1_000, leaseMs: 1, limit: 1, bytesMax: 1, room: 2, onlyEnded: true }
const lease: Lease = { ...laneOf('1'), token: 1, failures: 0, crashes: 0, entries: [], bodies: [] }

describe('after a lease has ended, a claim', () => {
  let known: ReturnType<typeof openKnownDue>
  let found: Claimed
  let claims: number
  let claim: ReturnType<typeof known.claiming>
  beforeEach(() => {
    known = openKnownDue()
    found = { leases: [], nextDue: undefined }
    claims = 0
    claim = known.claiming(async () => {
      claims++
      return found
    })
  })

  test('needs no statement where the last one took all that was due', async () => {
    found = { leases: [lease], nextDue: 5_000 }
    await claim('send', { ...options, onlyEnded: false })
    known.ended('send', undefined)
    assert.deepEqual([await claim('send', options), claims], [{ leases: [], nextDue: 5_000 }, 1])
  })

  test('is made where the last one was full, and where there is not one yet', async () => {
    await claim('send', options)
    await claim('ask', options)
    assert.equal(claims, 2)
    found = { leases: [lease, lease] }
    await claim('send', { ...options, onlyEnded: false })
    await claim('send', options)
    assert.equal(claims, 4)
  })

  test('is made by a process that has heard of something else', async () => {
    for (let many = 1; many <= 3; many++) {
      await claim('send', { ...options, onlyEnded: false })
      assert.equal(claims, many)
    }
  })

  test('is made where something woke in a lane of its kind', async () => {
    await claim('send', options)
    known.woke([{ lane: 'ask' }])
    await claim('send', options)
    assert.equal(claims, 1)
    known.woke([{ lane: 'send' }])
    await claim('send', options)
    assert.equal(claims, 2)
    known.woke()
    await claim('send', options)
    assert.equal(claims, 3)
  })

  for (const { what, happens } of [
    { what: 'something woke', happens: () => known.woke([lease]) },
    { what: 'a lease ended with something left', happens: () => known.ended('send', 500) },
  ]) {
    test(`is made where ${what} while the last one was under way`, async () => {
      const first = claim('send', options)
      happens()
      await first
      await claim('send', options)
      assert.equal(claims, 2)
    })
  }

  test('is made once what the lease has left is due, and says until then when that is', async () => {
    found = { leases: [], nextDue: 5_000 }
    await claim('send', options)
    known.ended('send', 3_000)
    assert.deepEqual([await claim('send', options), claims], [{ leases: [], nextDue: 3_000 }, 1])
    await claim('send', { ...options, now: 3_000 })
    assert.equal(claims, 2)
  })
})
