import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountReasons } from '../../accounts/needs-attention.ts'
import { explain } from '../../operations/reasons.ts'
import { append } from '../../storage/conformance.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { openInMemory } from '../../storage/sqlite/in-memory.ts'
import { overviewOf, remediesOf } from './health.ts'

const hour = 3_600_000
const start = Date.UTC(2025, 5, 2)

test('a silence that is much longer than usual needs attention, with what to do; a usual one does not', async () => {
  const storage = openInMemory()
  const common = { state: 'waiting', org: '1', type: 'an_event', rememberMs: hour, mapping: 1 } as const
  const arrivals = Array.from({ length: 24 }, (_, n) => ({
    ...common,
    messageId: `m${n}`,
    receivedAt: start + n * hour,
    identity: Buffer.from(`identity-${n}`.padEnd(16)),
    sealed: Buffer.alloc(1),
  }))
  await append(storage, arrivals)
  const titlesAfter = async (hours: number) => {
    const { attention } = await overviewOf(storage, '1', undefined, start + (23 + hours) * hour)
    return attention.map(({ title }) => title)
  }
  assert.deepEqual(await titlesAfter(2), [])
  assert.deepEqual(await titlesAfter(10), ['Drift has fallen silent'])
})

test('an account that fell silent weeks ago still needs attention; one that never sent anything does not, nor one that left', async () => {
  const storage = openInMemory()
  const [sealed, now] = [Buffer.alloc(1), start + 20 * 24 * hour]
  const common = { state: 'waiting', org: '1', type: 'an_event', rememberMs: hour, mapping: 1 } as const
  const titles = async (org: string, install?: Install) =>
    (await overviewOf(storage, org, install, now)).attention.map(({ title }) => title)
  await append(storage, [{ ...common, messageId: 'm', receivedAt: start, identity: Buffer.alloc(16), sealed }])
  assert.deepEqual(await titles('1'), ['Drift has fallen silent'])
  assert.deepEqual(await titles('2'), [])
  const left = { org: '1', state: 'disconnected' as const, settings: '{}' }
  const titlesLeft = await titles('1', { ...left, createdAt: start, updatedAt: start, generation: 1 })
  assert.ok(!titlesLeft.includes('Drift has fallen silent'), `${titlesLeft}`)
})

/** What a text tells an admin to do, and the button or link that does it. */
const remedies: readonly [says: RegExp, label: string][] = [
  [/resume/, 'Resume'],
  [/save the write key|save them again/, 'Write key and region'],
  [/\bconnect the account|install it again/, 'Connect to Drift again'],
  [/disconnect the account/, 'Disconnect'],
]

/** An account that is held or refused for this reason. */
function accountWith(reason: string): Install {
  const account: Install = {
    org: '1',
    state: 'live',
    settings: '{}',
    writeKey: Buffer.alloc(1),
    createdAt: 0,
    updatedAt: 0,
    generation: 1,
  }
  if (reason === 'paused') return { ...account, state: 'paused' }
  if (reason === 'disconnected') return { ...account, state: 'disconnected' }
  if (reason === 'no_write_key') {
    const { writeKey: _, ...keyless } = account
    return { ...keyless, state: 'waiting_for_key' }
  }
  if (reason === 'not_allowed') return { ...account, notAllowed: true }
  if (reason === 'settings_unreadable') return { ...account, unreadable: true }
  return { ...account, state: reason.startsWith('disconnect') ? 'live' : 'needs_attention', reason }
}

for (const reason of Object.keys(accountReasons).filter((one) => one !== 'not_installed'))
  test(`${reason}: every remedy that its text names has its button, and no button stands where it does nothing`, () => {
    const waits: LaneShown = { lane: 'send', destination: 1, failures: 1, readyAt: start + hour }
    const labels = (lanes: LaneShown[]) =>
      remediesOf(reason, accountWith(reason), lanes, start).map(({ label }) => label)
    const { todo } = explain(reason)
    for (const [says, label] of remedies)
      if (says.test(todo)) assert.ok(labels([waits]).includes(label), `${label}: ${todo}`)
    // Where an admin cannot connect the account in the browser.
    const unconnectable = remediesOf(reason, accountWith(reason), [waits], start, false)
    assert.ok(!unconnectable.some(({ label }) => label === 'Connect to Drift again'))
    const isRefused = accountWith(reason).state === 'needs_attention'
    assert.equal(labels([waits]).includes('Retry now'), isRefused)
    assert.equal(labels([{ ...waits, readyAt: start }]).includes('Retry now'), false)
    assert.equal(labels([]).includes('Resume'), isRefused || reason === 'paused' || reason === 'disconnect_unproven')
  })
