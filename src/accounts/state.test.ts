import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Install } from '../storage/ports.ts'
import * as state from './state.ts'

const states = ['waiting_for_key', 'live', 'paused', 'needs_attention'] as const
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
const key = { writeKey: Buffer.from('a key') }

type Move = (install: Install) => Install | undefined
/** What may happen to an account while Drift is asked, and says nothing of whether it has left. */
const doors: Readonly<Record<string, Move>> = {
  'a person pauses it': state.paused,
  'Segment refuses it': (install) => state.troubled(install, 'segment_401'),
  'Drift refuses a lookup': (install) => state.troubled(install, 'drift_forbidden'),
  'Segment accepts a probe': (install) => state.accepted(install, 'delivered'),
  'Drift answers a lookup': (install) => state.accepted(install, 'lookup'),
  'the write key or the region changes': state.keyChanged,
  'Drift refuses to renew the grant': state.grantDied,
  'the grant is renewed': state.grantRenewed,
  'the service starts, or the command line adds to it, with the grant that it has': (install) =>
    state.configured(install, false),
}
/** What says whether it has left, or is a new answer to it. */
const answers: Readonly<Record<string, Move>> = {
  'Drift says that it has not left': state.confirmed,
  'its admin connects it again': state.connected,
  'it is given a new grant': (install) => state.configured(install, true),
  'a person resumes it, where Drift cannot be asked': (install) => state.resumed(state.doubted(install) ?? install),
}

describe('an account that may have left', () => {
  for (const reason of [state.leaving, state.unproven])
    for (const [what, move] of Object.entries(doors))
      test(`stays ${reason} when ${what}, in every state and in every order with others`, () => {
        for (const one of states)
          for (const more of [{}, key])
            for (const second of [move, ...Object.values(doors)]) {
              const before = { ...base, ...more, state: one, reason }
              const first = move(before) ?? before
              const after = second(first) ?? first
              assert.deepEqual([after.reason, state.holdOf(after), state.stateShown(after)], [reason, reason, 'paused'])
            }
      })

  for (const [what, move] of Object.entries(answers))
    test(`does not stay so when ${what}; a pause of before stays but for a person who resumes`, () => {
      for (const reason of [state.leaving, state.unproven]) {
        const of = (before: Install['state']) => move({ ...base, ...key, state: before, reason })!
        for (const before of ['live', 'needs_attention'] as const)
          assert.deepEqual([of(before).state, of(before).reason], ['live', undefined])
        assert.deepEqual(
          [of('paused').state, of('paused').reason],
          [what.startsWith('a person resumes') ? 'live' : 'paused', undefined],
        )
      }
    })

  test('has no other way in or out: each move of an account is one of these', () => {
    const moves = Object.entries(state).filter(([, value]) => typeof value === 'function' && value.length > 0)
    const looks = ['isLeaving', 'holdOf', 'stateShown', 'isThere']
    const tried = 'questioned doubted confirmed gone paused resumed troubled accepted keyChanged connected configured'
    assert.deepEqual(
      moves
        .map(([name]) => name)
        .filter((name) => !looks.includes(name))
        .sort(),
      [...tried.split(' '), 'grantDied', 'grantRenewed'].sort(),
      'say in `doors` or `answers` what it does to an account that may have left',
    )
  })

  test('is asked about once Drift has said so again, also after a person was asked', () => {
    const asked = { ...base, ...key, reason: state.leaving }
    assert.deepEqual(state.questioned({ ...base, ...key }), asked)
    assert.equal(state.questioned(asked), undefined)
    assert.deepEqual(state.doubted(asked), { ...asked, reason: state.unproven })
    assert.equal(state.doubted({ ...base, ...key }), undefined, 'it was connected again meanwhile')
    assert.deepEqual(state.questioned({ ...asked, reason: state.unproven }), asked)
  })

  test('loses its secrets when it has', () => {
    const { grant, writeKey, refreshAt, reason, state: now } = state.gone({ ...base, ...key, reason: state.leaving })!
    assert.deepEqual(
      [grant, writeKey, refreshAt, reason, now],
      [undefined, undefined, undefined, undefined, 'disconnected'],
    )
  })
})
