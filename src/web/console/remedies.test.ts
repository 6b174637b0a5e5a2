import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeDestination } from '../../accounts/destinations.ts'
import { accountReasons, isEndedBy } from '../../accounts/needs-attention.ts'
import { summed } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { remediesOf, todoOf } from './remedies.ts'

const hour = 3_600_000
const start = Date.UTC(2025, 5, 2)

/** What a text tells an admin to do, and the button or link that does it. */
const remedies: readonly [says: RegExp, labels: readonly string[]][] = [
  [/[Rr]esume sending/, ['Resume']],
  [/[Ss]ave (the write key|it|them)/, ['Enter write key', 'Replace write key']],
  [/[Rr]econnect to Drift|Connect it again/, ['Reconnect to Drift']],
  [/disconnect the account/, ['Disconnect']],
]

/** An account that is held or refused for this reason. */
function accountWith(reason: string): Install {
  const account: Install = {
    org: '1',
    state: 'live',
    settings: '{"destinations":[{"number":1,"name":"Segment","key":"AAAA"}]}',
    createdAt: 0,
    updatedAt: 0,
    generation: 1,
  }
  const withDestination = (change: object) => summed(changeDestination(account, 1, change))
  if (reason === 'paused') return withDestination({ paused: true })
  if (reason === 'disconnected') return { ...account, state: 'disconnected' }
  if (reason === 'no_write_key') return withDestination({ key: undefined })
  if (reason === 'endpoint_not_allowed') return { ...withDestination({ endpoint: 'gone' }), unlisted: ['gone'] }
  if (isEndedBy(reason, 'delivered')) return withDestination({ reason })
  if (reason === 'not_allowed') return { ...account, notAllowed: true }
  if (reason === 'settings_unreadable') return { ...account, unreadable: true }
  return { ...account, state: reason.startsWith('disconnect') ? 'live' : 'needs_attention', reason }
}

test('of one of several destinations are about that one alone, and lead to its page', () => {
  const destinations = [
    { number: 1, name: 'Segment', key: 'AAAA', paused: true },
    { number: 2, name: 'Staging', key: 'BBBB', reason: 'segment_401' },
  ]
  const settings = JSON.stringify({ destinations, lastDestination: 2 })
  const install = { ...accountWith('paused'), state: 'needs_attention', settings } as Install
  const waits: LaneShown = { lane: 'send', destination: 2, failures: 1, readyAt: start + hour }
  const found = remediesOf('segment_401', install, [waits], start, true, false, 2)
  assert.deepEqual(
    found.map(({ label, destination, to }) => [label, destination ?? to]),
    [
      ['Replace write key', '/console/connection/destination?number=2'],
      ['Resume', 2],
      ['Retry now', 2],
    ],
  )
  const fixed = remediesOf('segment_401', install, [waits], start, true, true, 2)
  assert.ok(!fixed.some(({ label }) => label === 'Replace write key'))
})

for (const reason of Object.keys(accountReasons).filter((one) => one !== 'not_installed'))
  test(`${reason}: every remedy that its text names has its button, and no button stands where it does nothing`, () => {
    const waits: LaneShown = { lane: 'send', destination: 1, failures: 1, readyAt: start + hour }
    const labels = (lanes: LaneShown[]) =>
      remediesOf(reason, accountWith(reason), lanes, start).map(({ label }) => label)
    const todo = todoOf(reason, { connects: true, isFixed: false })
    for (const [says, wanted] of remedies)
      if (says.test(todo))
        assert.ok(
          labels([waits]).some((label) => wanted.includes(label)),
          `${wanted}: ${todo}`,
        )
    // Where an admin cannot connect the account in the browser, and the settings rule its key.
    const ruled = remediesOf(reason, accountWith(reason), [waits], start, false, true).map(({ label }) => label)
    assert.ok(!ruled.includes('Reconnect to Drift') && !ruled.includes('Replace write key'))
    const theirs = todoOf(reason, { connects: false, isFixed: true })
    for (const [says, wanted] of remedies)
      if (says.test(theirs))
        assert.ok(
          ruled.some((label) => wanted.includes(label)),
          `${wanted}: ${theirs}`,
        )
    const isRefused = accountWith(reason).state === 'needs_attention'
    assert.equal(labels([waits]).includes('Retry now'), isRefused)
    assert.equal(labels([{ ...waits, readyAt: start }]).includes('Retry now'), false)
    assert.equal(labels([]).includes('Resume'), isRefused || reason === 'paused' || reason === 'disconnect_unproven')
  })
