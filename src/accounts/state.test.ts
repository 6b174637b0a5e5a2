/** What test/account-table.ts cannot have: what was under way, and ends, when an account is in another state by then. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Install } from '../storage/ports/accounts.ts'
import * as state from './state.ts'

const base: Install = {
  org: '1',
  state: 'live',
  settings: '{}',
  grant: Buffer.from('a grant'),
  refreshAt: 5,
  createdAt: 0,
  updatedAt: 0,
  generation: 1,
}
const key = { settings: '{"destinations":[{"number":1,"name":"Segment","key":"AAAA"}]}' }
const pause = { settings: '{"destinations":[{"number":1,"name":"Segment","key":"AAAA","paused":true}]}' }

type Move = (install: Install) => Install | undefined
const ends: Readonly<Record<string, Move>> = {
  'Segment has refused what was under way': (install) => state.blocked(install, 'segment_401', 1),
  'Drift has refused a lookup that was under way': (install) => state.blocked(install, 'drift_forbidden'),
  'Segment has accepted what was under way': (install) => state.accepted(install, 1),
  'Drift has answered a lookup that was under way': (install) => state.accepted(install),
  'Drift has refused to renew the grant': state.grantDied,
  'Drift has renewed the grant': state.grantRenewed,
}

describe('an account that may have left', () => {
  for (const reason of [state.leaving, state.unproven])
    for (const [what, move] of Object.entries(ends))
      test(`stays ${reason} when ${what}, in every state and in every order with others`, () => {
        for (const one of ['waiting_for_key', 'live', 'paused', 'needs_attention'] as const)
          for (const more of [{}, key])
            for (const second of [move, ...Object.values(ends)]) {
              const before = { ...base, ...more, state: one, reason }
              const first = move(before) ?? before
              const after = second(first) ?? first
              assert.deepEqual([after.reason, state.holdOf(after), state.stateShown(after)], [reason, reason, 'paused'])
            }
      })

  test('is not asked about any more when it was connected again meanwhile', () => {
    assert.equal(state.doubted({ ...base, ...key }), undefined)
    assert.equal(state.confirmed({ ...base, ...key }), undefined)
  })
})

test('a pause stays a pause, and a disconnect a disconnect, whatever was under way', () => {
  for (const [what, move] of Object.entries(ends))
    for (const [one, more] of [
      ['paused', pause],
      ['disconnected', {}],
      ['waiting_for_key', {}],
    ] as const) {
      const before = { ...base, ...more, state: one }
      const after = move(before) ?? before
      assert.deepEqual([after.state, after.reason], [one, undefined], what)
    }
})
