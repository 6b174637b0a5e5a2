import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup, Query } from '../../storage/ports/lookup.ts'
import { type Filter, filterOf } from './query.ts'
import { canResend } from './resend-matching.ts'

const org = '5000001'
const filter = (said: Partial<Filter>) => filterOf((name) => said[name as keyof Filter])

/** Destinations at which something is found, and what was looked for. */
function storeWith(...found: number[]): { find: Lookup['find']; asked: Query[] } {
  const asked: Query[] = []
  const find: Lookup['find'] = async (query) => {
    asked.push(query)
    return { entries: found.includes(query.destination ?? 0) ? [{} as never] : [] }
  }
  return { find, asked }
}

test('no other destination is asked where what was counted can be resent', async () => {
  const store = storeWith()
  const counted = [{ state: 'delivered' }, { state: 'dead', reason: 'segment_400' }] as const
  assert.equal(await canResend(store, filter({}), { org }, counted, [1, 2]), true)
  assert.deepEqual(store.asked, [])
})

test('a list can be resent for what another destination refused, or what was too old to be counted', async () => {
  const store = storeWith(2)
  assert.equal(await canResend(store, filter({}), { org, type: 'x' }, [{ state: 'delivered' }], [1, 2]), true)
  const states = ['dead', 'quarantined']
  const looked = { org, type: 'x', states, notReason: 'gdpr_delete_requested' }
  assert.deepEqual(store.asked, [
    { ...looked, destination: 1 },
    { ...looked, destination: 2 },
  ])
  assert.equal(await canResend(storeWith(), filter({}), { org }, [{ state: 'delivered' }], [1, 2]), false)
})

test('a list of one reason is not offered to be resent for what failed for another', async () => {
  const counted = [
    { state: 'dead', reason: 'segment_400' },
    { state: 'ignored', reason: 'filtered' },
  ] as const
  const said = filter({ reason: 'filtered' })
  assert.equal(await canResend(storeWith(), said, { org, reason: 'filtered' }, counted, [1]), false)
})

test('a list of what is queued, or of requests for deletion, is not offered to be resent', async () => {
  const store = storeWith(1)
  const counted = [{ state: 'dead', reason: 'segment_400' }] as const
  for (const state of ['queued', 'blocked', 'deletion'])
    assert.equal(await canResend(store, filter({ state }), { org }, counted, [1]), false)
  const request = [{ state: 'quarantined', reason: 'gdpr_delete_requested' }] as const
  assert.equal(await canResend(storeWith(), filter({}), { org }, request, [1]), false)
})
