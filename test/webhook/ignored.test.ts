/** What is only counted: by type, reason and time, so that "why did X not arrive" has an answer where nothing was kept. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { changeSettings } from '../../src/accounts/settings.ts'
import { freePort } from '../free-port.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'

const [gone, unlisted] = [org + 1, org + 2]
const start = Date.UTC(2026, 10, 24, 12, 30, 30)
let rig: Rig
let metricsPort: number
let sent = 0

const post = async (type: string, data: object, orgId = org) => {
  const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
  const answer = await fetch(rig.to, { method: 'POST', headers, body: JSON.stringify({ type, orgId, data }) })
  assert.equal(answer.status, 200)
}
const meeting = () => ({ schedulerId: 7, eventId: ++sent, scheduledAt: start })
const goal = { contactId: 7, goalName: 'the same' }
const asJson = async (command: string, given: Record<string, string> = {}) =>
  JSON.parse((await rig.command(command, { given: { ...given, json: true } })).printed)

before(async () => {
  metricsPort = await freePort()
  const env = { DRIFT_ORG_IDS_ALLOWED: `${org}, ${gone}`, METRICS_PORT: String(metricsPort) }
  rig = await startRig({ env })
  await install(rig, gone)
  const { accounts } = rig.service.store
  await accounts.change(String(org), start, (one) => changeSettings(one, { offTypes: ['new_meeting'] }))
  await accounts.change(String(gone), start, (one) => ({ ...one, state: 'disconnected' }))
  await post('new_meeting', meeting())
  await post('new_meeting', meeting())
  await post('chat_to_call', {})
  await post('something_else', {})
  await post('contact_updated', { endUserId: 7, timestamp: start, diff: [] })
  for (let times = 0; times < 3; times++) await post('playbook_goal_met', goal)
  await post('playbook_goal_met', goal, gone)
  await post('playbook_goal_met', goal, unlisted)
  await settled(rig, ({ waiting, ignored }) => waiting === 0 && ignored === 7)
})
after(() => rig.close())

test('check counts what was ignored by type and reason, and still adds up', async () => {
  const { ok, received, delivered, ignored, duplicates, ignoredBy } = await asJson('check')
  assert.deepEqual([ok, received, delivered, ignored, duplicates], [true, 8, 1, 7, 2])
  assert.deepEqual(ignoredBy, [
    { type: 'new_meeting', reason: 'switched_off', count: 2 },
    { type: 'other', reason: 'unknown_type', count: 2 },
    { type: 'contact_updated', reason: 'empty', count: 1 },
    { type: 'playbook_goal_met', reason: 'disconnected', count: 1 },
    { type: 'playbook_goal_met', reason: 'not_allowed', count: 1 },
  ])
  const { output } = await rig.command('check')
  assert.match(output, /ignored {5}7\n/)
  assert.match(output, /^ {2}ignored, switched_off: new_meeting 2$/m)
})

test('inspect says what of an account was ignored or a duplicate, how often, when last, and why', async () => {
  const { entries, ignored, duplicates } = await asJson('inspect', { org: String(org) })
  assert.equal(entries.length, 1, 'only what is kept is listed')
  const told = ignored.map(({ lastAt: _, ...row }: { lastAt: number }) => row)
  assert.deepEqual(told, [
    { type: 'new_meeting', reason: 'switched_off', count: 2 },
    { type: 'other', reason: 'unknown_type', count: 2 },
    { type: 'contact_updated', reason: 'empty', count: 1 },
  ])
  const now = Date.now()
  for (const { lastAt } of [...ignored, ...duplicates]) assert.ok(now - lastAt < 10 * 60_000 && lastAt % 60_000 === 0)
  assert.deepEqual([duplicates.length, duplicates[0].type, duplicates[0].count], [1, 'playbook_goal_met', 2])
  const { output } = await rig.command('inspect', { given: { org: String(org), type: 'new_meeting' } })
  assert.match(
    output,
    /^nothing found\ncounted and not kept, .*:\n {2}new_meeting: 2 ignored, last about [\d-]+T\d\d:\d\dZ /,
  )
  assert.match(
    output,
    /\(switched_off\): the account has switched this type off\n {4}what to do: switch it on in the console/,
  )
})

test('inspect of a type says nothing of others; one outside the catalogue is among those that are counted together', async () => {
  const reasonsOf = async (type: string) =>
    (await asJson('inspect', { org: String(org), type })).ignored.map(({ reason }: { reason: string }) => reason)
  assert.deepEqual(await reasonsOf('new_meeting'), ['switched_off'])
  assert.deepEqual(await reasonsOf('chat_to_call'), ['unknown_type'])
  assert.deepEqual(await reasonsOf('meeting_updated'), [])
})

test('inspect of single events, or of another time, says nothing of what is only counted', async () => {
  for (const more of [{ contact: '7' }, { message: 'drift-x' }, { state: 'dead' }])
    assert.equal((await asJson('inspect', { org: String(org), ...more })).ignored, undefined)
  const { ignored } = await asJson('inspect', { org: String(org), to: '2h' })
  assert.deepEqual(ignored, [])
})

test('inspect of a reason says what was ignored for it, and nothing else', async () => {
  const { ignored, duplicates } = await asJson('inspect', { org: String(org), reason: 'empty' })
  assert.deepEqual([ignored.length, ignored[0].type, duplicates], [1, 'contact_updated', []])
})

test('inspect of an account that has left, or may not be here, says so', async () => {
  const reasonsOf = async (id: number) =>
    (await asJson('inspect', { org: String(id) })).ignored.map(({ reason }: { reason: string }) => reason)
  assert.deepEqual(await reasonsOf(gone), ['disconnected'])
  assert.deepEqual(await reasonsOf(unlisted), ['not_allowed'], 'those that are not here are counted together')
})

test('inspect of an account that is not here says that its counts are those of all such accounts', async () => {
  const together = async (id: number) => (await asJson('inspect', { org: String(id) })).ofAllAbsent
  assert.deepEqual([await together(unlisted), await together(unlisted + 1)], [true, true])
  assert.deepEqual([await together(org), await together(gone)], [undefined, undefined])
  const { output } = await rig.command('inspect', { given: { org: String(unlisted + 1) } })
  assert.match(output, /^counted and not kept, of all accounts that are not installed here together, /m)
})

test('the metrics count what was ignored by reason', async () => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const counted = [...text.matchAll(/^drift_segment_source_ignored_total\{reason="(\w+)"\} (\d+)$/gm)]
  assert.deepEqual(Object.fromEntries(counted.map(([, reason, count]) => [reason, Number(count)])), {
    switched_off: 2,
    empty: 1,
    unknown_type: 2,
    disconnected: 1,
    not_allowed: 1,
    // What a destination's options leave out: none here.
    filtered: 0,
    no_consent: 0,
  })
})
