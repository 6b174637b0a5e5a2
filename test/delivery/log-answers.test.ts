/** The log alone says what became of an event that did not arrive, and why an account stands still. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type Fields, openLog } from '../../src/lib/log.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { readTree } from '../tree.ts'

let rig: Rig
let lines: { level: string; event: string; fields: Fields }[]
beforeEach(async () => {
  lines = []
  const at =
    (level: string) =>
    (event: string, fields: Fields = {}) =>
      void lines.push({ level, event, fields })
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  rig = await startRig({ log })
})
afterEach(() => rig.close())

const about = (name: string) => lines.filter(({ event }) => event === name).map(({ fields }) => fields)
const sumOf = (field: string) => about('received').reduce((sum, fields) => sum + Number(fields[field] ?? 0), 0)
const send = async (type: string, data: object, orgId = org) => {
  const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
  const answer = await fetch(rig.to, { method: 'POST', headers, body: JSON.stringify({ type, orgId, data }) })
  assert.equal(answer.status, 200)
}
const post = async (type: string, data: object, orgId = org) => {
  await send(type, data, orgId)
  return about('webhook').at(-1)!
}

test('each event that ends other than delivered has a line with its messageId, type, account and reason', async () => {
  const delivered = await post('new_conversation', { contactId: 7, id: 1, createdAt: 1_714_419_312_000 })
  const large = await post('phone_captured', { authorType: 'contact', authorId: 7, phoneNumber: '5'.repeat(40_000) })
  const odd = await post('new_conversation', { contactId: { deep: 1 } })
  const empty = await post('contact_updated', { endUserId: 7, timestamp: 1_714_419_312_001, diff: [] })
  const unnamed = await post('new_meeting', { scheduledAt: 1_714_419_312_002 })
  await settled(rig, ({ waiting }) => waiting === 0)
  assert.equal(
    about('batch').reduce((sum, { dead }) => sum + Number(dead), 0),
    1,
    'the batch counts it as well',
  )
  const endings = new Map(about('event_ended').map(({ messageId, ...fields }) => [messageId, fields]))
  assert.deepEqual(endings.get(large.messageId), {
    type: 'phone_captured',
    org: String(org),
    destination: 1,
    as: 'dead',
    reason: 'message_too_large',
  })
  assert.deepEqual(endings.get(odd.messageId), {
    type: 'new_conversation',
    org: String(org),
    destination: 1,
    as: 'quarantined',
    reason: 'shape_unknown',
  })
  assert.deepEqual(endings.get(empty.messageId), {
    type: 'contact_updated',
    org: String(org),
    destination: 1,
    as: 'ignored',
    reason: 'empty',
  })
  assert.deepEqual(endings.get(unnamed.messageId), {
    type: 'new_meeting',
    org: String(org),
    destination: 1,
    as: 'quarantined',
    reason: 'nobody_named',
  })
  assert.equal(endings.has(delivered.messageId), false)
})

test('what is quarantined, or not installed, on arrival says so in its webhook line, and has no other', async () => {
  const quarantined = await post('gdpr_delete_requested', { contactId: 7 })
  assert.deepEqual([quarantined.state, quarantined.reason], ['quarantined', 'gdpr_delete_requested'])
  const notInstalled = await post('new_conversation', { contactId: 7, id: 1, createdAt: 1 }, 777)
  assert.equal(notInstalled.state, 'unclaimed')
  assert.ok(quarantined.messageId && notInstalled.messageId)
  assert.deepEqual(about('event_ended'), [])
})

test('at info an ordinary webhook is counted in a line with others, and one with a reason has its own as well', async () => {
  const goals = Array.from({ length: 20 }, (_, n) => post('playbook_goal_met', { contactId: n + 1, goalName: 'fine' }))
  await Promise.all(goals)
  const request = await post('gdpr_delete_requested', { contactId: 1 })
  await eventually(() => sumOf('webhooks') === 21)
  assert.deepEqual([sumOf('stored'), sumOf('exceptional'), sumOf('ignored')], [21, 1, 0])
  const own = lines.filter(({ event, level }) => event === 'webhook' && level === 'info')
  assert.deepEqual(
    own.map(({ fields }) => [fields.messageId, fields.state, fields.reason]),
    [[request.messageId, 'quarantined', 'gdpr_delete_requested']],
  )
  for (const { org: named, types } of about('received')) {
    assert.equal(named, String(org))
    assert.match(String(types), /^(playbook_goal_met \d+)?(, )?(gdpr_delete_requested 1)?$/)
  }
})

test('a message that Segment refuses alone says how often it was tried, and with which answer', async () => {
  rig.sims.segment.script((request) => (request.body.includes('refuse-me') ? { status: 400 } : undefined))
  await post('playbook_goal_met', { contactId: 7, goalName: 'fine' })
  const refused = await post('playbook_goal_met', { contactId: 8, goalName: 'refuse-me' })
  await eventually(() => about('event_ended').length > 0)
  const [ending] = about('event_ended')
  assert.equal(ending?.messageId, refused.messageId)
  assert.deepEqual([ending?.as, ending?.reason, ending?.status], ['dead', 'segment_400', 400])
  assert.ok(Number(ending?.attempts) >= 1)
})

test('what holds an account is one warning, once a change, and its end another line', async () => {
  rig.sims.segment.script({ status: 401 })
  for (let n = 0; n < 3; n++) await post('playbook_goal_met', { contactId: 7, goalName: `goal ${n}` })
  await eventually(() => about('account_held').length > 0)
  rig.sims.segment.script(undefined)
  await rig.command('installs resume', { given: { org: String(org) } })
  await settled(rig, ({ held, waiting }) => held + waiting === 0)
  assert.deepEqual(about('account_held'), [{ org: String(org), state: 'needs_attention', reason: 'segment_401' }])
  assert.equal(lines.find(({ event }) => event === 'account_held')?.level, 'warn')
})

test('a pause by the command line is in the service’s log, as a change that was made elsewhere, and so is its end', async () => {
  await rig.command('installs pause', { given: { org: String(org) } })
  const held = { org: String(org), state: 'paused', elsewhere: true, reason: 'paused' }
  await eventually(() => about('account_held').length > 0)
  assert.deepEqual(about('account_held'), [held])
  await rig.command('installs resume', { given: { org: String(org) } })
  await eventually(() => about('account_changed').length > 0)
  assert.deepEqual(about('account_changed'), [{ org: String(org), state: 'live', elsewhere: true }])
})

test('what is ignored is counted by its reason on the line of its group', async () => {
  await post('campaign_opened', { contactId: 7 })
  const ignored = about('received').find((fields) => fields.ignored)
  assert.equal(ignored?.ignoredAs, 'unknown_type 1')
})

test('a start and a stop say which version, engine and instance it is', async () => {
  await rig.service.close()
  const [[started], [stopping], [stopped]] = [about('started'), about('stopping'), about('stopped')]
  for (const name of ['version', 'engine', 'instance', 'pid'] as const) {
    assert.ok(started?.[name], name)
    assert.deepEqual([stopping?.[name], stopped?.[name]], [started?.[name], started?.[name]])
  }
  assert.equal(started?.engine, 'sqlite')
})

test('the searches that docs/missing-events.md writes out find in the log at info what they say', async () => {
  const section = readTree()
    .find(({ path }) => path === 'docs/missing-events.md')!
    .text.split('\n### The same ')[1]!
  const patterns = [...section.matchAll(/^grep (?:-E )?'([^']+)' service\.log {2,}#/gm)].map(([, pattern]) => pattern!)
  assert.equal(patterns.length, 3)
  const written: string[] = []
  await rig.close()
  rig = await startRig({ log: openLog('info', { write: (line) => void written.push(line) }) })
  const search = (pattern: string | undefined) =>
    written.filter((line) => new RegExp(pattern!).test(line)).map((line) => JSON.parse(line) as Record<string, unknown>)
  const [ofMessage, ofHolds, ofRuns] = patterns
  const named = (messageId: unknown) => search(ofMessage!.replace('drift-…', String(messageId)))

  await send('playbook_goal_met', { contactId: 7, goalName: 'fine' })
  await send('playbook_goal_met', { contactId: 7, goalName: '5'.repeat(40_000) })
  await send('gdpr_delete_requested', { contactId: 7 })
  await settled(rig, ({ waiting }) => waiting === 0)
  const { output } = await rig.command('inspect', { given: { json: true } })
  const { entries } = JSON.parse(output) as { entries: { messageId: string; state: string; reason?: string }[] }
  const found = entries.map(({ messageId, state, reason }) => [
    state,
    ...named(messageId).map((line) => [line.event, line.as ?? line.state, line.reason === reason]),
  ])
  assert.deepEqual(found.sort(), [
    ['dead', ['event_ended', 'dead', true]],
    ['delivered'],
    ['quarantined', ['webhook', 'quarantined', true]],
  ])
  rig.sims.segment.script({ status: 401 })
  await send('playbook_goal_met', { contactId: 7, goalName: 'held' })
  await eventually(() => search(ofHolds).length > 0)
  assert.deepEqual(
    search(ofHolds).map(({ org: held, reason }) => [held, reason]),
    [[String(org), 'segment_401']],
  )
  await rig.service.close()
  assert.deepEqual(
    search(ofRuns).map(({ event, version }) => [event, typeof version]),
    [
      ['started', 'string'],
      ['stopped', 'string'],
    ],
  )
})
