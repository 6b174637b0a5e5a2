/**
 * What an operator asks, answered by the command line beside the running service: what happened to an event and why,
 * sending again, erasing a person, keys, backups, and the state of it all. Nothing is faked but the partners.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { keys } from '../../src/cli/keys.ts'
import type { Problem } from '../../src/lib/errors.ts'
import { addsUp } from '../../src/operations/totals.ts'
import { eventually } from '../clock.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'
import { sealingKey } from '../settings.ts'

const id = String(org)
/** The contact of the new_conversation fixture. */
const contact = '21760538950'
let rig: Rig

beforeEach(async () => {
  rig = await startRig()
})

afterEach(async () => {
  const outcomes = await rig.outcomes().finally(() => rig.close())
  assert.ok(addsUp(outcomes))
})

const run = (name: string, given: Record<string, string | boolean> = {}, args: string[] = []) =>
  rig.command(name, { given, args })
const post = (event: string | object, more: object = {}) =>
  rig.sims.drift.send(event as string, { to: rig.to, orgId: org, ...more })

async function inspected(given: Record<string, string | boolean>) {
  const { output } = await run('inspect', { ...given, json: true })
  return (JSON.parse(output) as { entries: Record<string, unknown>[] }).entries
}

function update(who: number, n: number) {
  const data = { endUserId: who, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] }
  return { type: 'contact_updated', orgId: org, data }
}

/** The refused one among others: it alone is dead. */
async function oneDead(): Promise<string> {
  await run('installs pause', { org: id })
  await eventually(async () => rig.service.store.accounts.get(id)?.state === 'paused')
  for (let n = 0; n < 4; n++) await post(update(7, n))
  rig.sims.segment.script(({ body }) => (body.includes('"n":2') ? { status: 400 } : undefined))
  await run('installs resume', { org: id })
  const outcomes = await settled(rig, ({ waiting, held }) => waiting === 0 && held === 0)
  assert.deepEqual([outcomes.delivered, outcomes.dead], [3, 1])
  const [dead] = await inspected({ state: 'dead' })
  return String(dead!.messageId)
}

describe('inspect', () => {
  test('tells the way of a delivered event, and finds it by message, contact and conversation', async () => {
    await post('new_conversation')
    await settled(rig)
    const [entry] = await inspected({ org: id })
    const { messageId, conversation } = entry as { messageId: string; conversation: string }
    assert.equal(entry!.contact, contact)
    for (const given of [{ message: messageId }, { org: id, contact }, { org: id, conversation }]) {
      const { output } = await run('inspect', given)
      assert.match(output, /new_conversation of account 5000883: delivered/)
      assert.match(output, /delivered: Segment answered 200, sent alone, at the account's 1st try/)
      assert.doesNotMatch(output, /why:|came in/)
    }
    assert.equal((await run('inspect', { org: id, contact: '1' })).output, 'nothing found')
  })

  test('gives no terminal an order, whatever a visitor wrote', async () => {
    const evil = 'a\u001b[2J\u009b2J\u202eb\u2028\u007f\u200b\u{e0041}\u00a0\u3164'
    await post(update(7, 0), {})
    await post({ ...update(7, 1), data: { endUserId: 7, timestamp: 1, diff: [{ name: 'n', updated: evil }] } })
    await post({ type: 'contact_updated', orgId: org, data: evil })
    await settled(rig)
    for (const state of ['delivered', 'quarantined'])
      for (const json of [false, true]) {
        const { output } = await run('inspect', { org: id, state, data: true, json, limit: '1' })
        assert.doesNotMatch(output, /(?![\n ])[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/u)
        assert.match(output, /\\u009b.*\\u200b\\udb40\\udc41\\u00a0\\u3164/)
        if (json && state === 'delivered') assert.ok(JSON.stringify(JSON.parse(output)).includes(JSON.stringify(evil)))
      }
  })

  test('shows data when asked, and the audit knows', async () => {
    await post('phone_captured')
    await settled(rig)
    assert.doesNotMatch((await run('inspect', { org: id })).output, /phoneNumber/)
    const { output } = await run('inspect', { org: id, data: true })
    assert.match(output, /came in:.*"phoneNumber".*goes out:.*"anonymousId": "\d+"/s)
    assert.doesNotMatch(output, new RegExp(rig.sims.drift.settings.verificationToken))
    const [auditEntry] = await rig.service.store.storage.audit.list(id, 1)
    assert.deepEqual([auditEntry?.who, auditEntry?.what], ['command line', 'looked at data'])
  })

  test('says in plain words why an event has not arrived, where that comes from, and what to do', async () => {
    rig.sims.segment.script({ status: 503 })
    await post('new_conversation')
    await eventually(() => rig.sims.segment.requests.length > 0)
    await eventually(async () => (await run('inspect', { org: id })).output.includes('segment_503'))
    assert.match(
      (await run('inspect', { org: id })).output,
      /not delivered: Segment answered 503, sent alone.*next attempt planned for 20.*tried next/s,
    )
    const queued =
      /1 waiting: queued, the oldest for 0 min; the last attempt failed: segment_503\n {2}segment_503: Segment/
    assert.match((await run('installs list')).output, queued)
    rig.sims.segment.script({ status: 401 })
    await eventually(async () => (await run('inspect', { org: id })).output.includes('segment_401'))
    const { output } = await run('inspect', { org: id })
    assert.match(output, /why: Segment does not accept the write key \(401\)/)
    assert.match(output, /comes from: what Segment answered\nwhat to do: check the write key/)
    const { entries } = JSON.parse((await run('inspect', { org: id, json: true })).output)
    assert.equal(entries[0].why.owner, 'segment')
    const said = /needs_attention.*comes from: what Segment answered\n {4}what to do: check the write key/s
    assert.match((await run('installs list')).output, said)
    rig.sims.segment.script(undefined)
    await run('installs resume', { org: id })
    await settled(rig, ({ delivered }) => delivered === 1)
  })

  test('lists what was quarantined, whatever account it names', async () => {
    const token = rig.sims.drift.settings.verificationToken
    const headers = { 'x-verification-token': token }
    for (const body of ['{', '[]', `{"type":"new_conversation","orgId":${org},"data":{"contactId":[]}}`])
      assert.equal((await fetch(rig.to, { method: 'POST', headers, body })).status, 200)
    await settled(rig, ({ held }) => held === 3)
    const { output } = await run('inspect', { state: 'quarantined' })
    assert.match(output, /invalid_json.*/s)
    assert.match(output, /not_an_object/)
    assert.match(output, /shape_unknown/)
    const [message] = /drift-\S+/.exec(output.split('\n').find((line) => line.includes('shape_unknown'))!)!
    assert.match(
      (await run('inspect', { message, data: true })).output,
      /^not as Drift documents it: data\.contactId$/m,
    )
    await post({ type: 'gdpr_delete_requested', orgId: org, data: { endUserId: 77 } })
    const asked = await run('inspect', { org: id, contact: '77' })
    assert.match(asked.output, /why: Drift says that a person wants their data deleted.*erase --org N --contact ID/s)
  })

  test('refuses a filter that makes no sense, and says what it takes', async () => {
    const odd: [Record<string, string>, RegExp][] = [
      [{ contact: '1' }, /need --org/],
      [{ state: 'lost' }, /does not know "lost"/],
      [{ from: 'tuesday' }, /--from is not a time/],
      [{ org: 'x' }, /in digits/],
      [{ limit: '0' }, /--limit takes a number/],
    ]
    for (const [given, message] of odd)
      await assert.rejects(
        run('inspect', given),
        (error: Problem) => error.exitCode === 2 && message.test(error.message),
      )
  })
})

describe('redrive', () => {
  test('sends again what was refused, under its messageId, after showing what it would do', async () => {
    const messageId = await oneDead()
    const dry = await run('redrive', { org: id, from: '1h', 'dry-run': true, dryRun: true })
    assert.match(dry.output, /1 found, 1 would be sent again.*was dead/s)
    assert.equal((await rig.outcomes()).dead, 1)
    rig.sims.segment.script(undefined)
    assert.match((await run('redrive', { org: id, from: '1h' })).output, /1 found, 1 wait to be sent again/)
    await eventually(async () => (await rig.outcomes()).delivered === 4)
    const last = rig.sims.segment.accepted.at(-1)!.message
    assert.deepEqual([last.messageId, (last.traits as { n: number }).n], [messageId, 2])
    assert.equal(
      (await run('redrive', { org: id, from: '1h' })).output.split('\n').at(-1),
      '0 found, 0 wait to be sent again',
    )
    const [auditEntry] = await rig.service.store.storage.audit.list(id, 1)
    assert.equal(auditEntry?.what, 'redrove')
  })

  test('sends delivered events again only with the option, and nothing that arrived since', async () => {
    for (let n = 0; n < 3; n++) await post(update(7, n))
    await settled(rig, ({ delivered }) => delivered === 3)
    assert.match((await run('redrive', { org: id })).output, /^0 found/m)
    const { output } = await run('redrive', { org: id, state: 'delivered' })
    assert.match(output, /3 found, 3 wait/)
    await eventually(() => rig.sims.segment.requests.flatMap(({ body }) => JSON.parse(body).batch).length === 6)
    const outcomes = await settled(rig, ({ delivered }) => delivered === 3)
    assert.equal(outcomes.received, 3)
    const sent = rig.sims.segment.requests.flatMap(({ body }) => JSON.parse(body).batch as { messageId: string }[])
    assert.equal(new Set(sent.map(({ messageId }) => messageId)).size, 3)
  })

  test('says why some stay', async () => {
    const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
    await fetch(rig.to, { method: 'POST', headers, body: '{' })
    await settled(rig, ({ held }) => held === 1)
    assert.match((await run('redrive', {})).output, /1 found, 0 wait .*\n {2}1 stays as it is: invalid_json/)
  })

  test('leaves an event that would fail again where it is, with its reason', async () => {
    await post({ type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } })
    await settled(rig, ({ held }) => held === 1)
    for (const dryRun of [true, false]) {
      const { output } = await run('redrive', { org: id, dryRun })
      assert.match(output, /0 (would be|wait to be) sent again\n {2}1 stays as it is: shape_unknown/)
    }
    assert.equal((await rig.outcomes()).held, 1)
  })

  test('stops between pages on a signal', async () => {
    await oneDead()
    const stopped = rig.command('redrive', { given: { org: id }, stopped: Promise.resolve() })
    assert.match((await stopped).output, /stopped on request/)
    assert.equal((await stopped).exitCode, 130)
  })

  test('of another account, or of one that does not exist, moves nothing; a person of another account is not erased', async () => {
    await oneDead()
    assert.match((await run('redrive', { org: '777' })).output, /^0 found, 0 wait/m)
    await assert.rejects(run('redrive', { org: 'all' }), (error: Problem) => error.exitCode === 2)
    assert.match((await run('erase', { org: '777', contact: '7' })).output, /^0 events erased/m)
    await assert.rejects(run('erase', { org: id, contact: '*' }), (error: Problem) => error.exitCode === 2)
    assert.equal((await rig.outcomes()).dead, 1)
    rig.sims.segment.script(undefined)
  })

  test('refuses states that wait anyway', async () => {
    await assert.rejects(run('redrive', { state: 'waiting' }), /others wait anyway/)
  })
})

test('erase takes one person away, and no other', async () => {
  rig.sims.segment.script({ status: 503 })
  for (const who of [7, 8]) for (let n = 0; n < 3; n++) await post(update(who, n))
  const dry = await run('erase', { org: id, contact: '7', dryRun: true })
  assert.match(dry.output, /^3 events would be erased/)
  assert.match((await run('erase', { org: id, contact: '7' })).output, /^3 events erased/)
  assert.deepEqual(await inspected({ org: id, contact: '7' }), [])
  rig.sims.segment.script(undefined)
  const outcomes = await settled(rig, ({ delivered }) => delivered === 3)
  assert.deepEqual([outcomes.expired, outcomes.waiting], [3, 0])
  const sent = rig.sims.segment.accepted.map(({ message }) => message.anonymousId)
  assert.deepEqual(new Set(sent), new Set(['8']))
  const [auditEntry] = await rig.service.store.storage.audit.list(id, 1)
  assert.match(auditEntry?.about ?? '', /^contact [0-9a-f]{32}: 3 events, 0 conversations$/)
  assert.ok(dry.output.includes(auditEntry!.about!.split(/[ :]/)[1]!), 'which contact that was, a dry run tells')
})

test('keys are rotated beside the running service: what was sealed opens, identities and messageIds stay', async () => {
  await post('new_conversation')
  await settled(rig)
  const [before] = await inspected({ org: id })
  const newKey = `next:${Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64')}`
  assert.match((await run('keys check')).output, /^test {2}seals 2 keys of the store; the first/)
  rig.env.ENCRYPTION_KEYS = `${newKey},${sealingKey}`
  await rig.restart()
  assert.match((await run('keys check')).output, /test {2}seals 2 keys of the store; still needed/)
  assert.match((await run('keys rotate')).output, /^2 keys moved .*; all are under next now/)
  assert.match((await run('keys check')).output, /test {2}seals 0 keys of the store; not needed any more/)
  await post('meeting_updated')
  rig.env.ENCRYPTION_KEYS = newKey
  await rig.restart()
  assert.equal((await post('new_conversation')).status, 200)
  const outcomes = await settled(rig, ({ delivered }) => delivered === 2)
  assert.equal(outcomes.duplicates, 1, 'the same event is still the same event')
  const { output } = await run('inspect', { message: String(before!.messageId), data: true })
  assert.match(output, /"contactId": 21760538950/)
  rig.env.ENCRYPTION_KEYS = sealingKey
  const { exitCode } = await run('keys check').catch((error: Problem) => error)
  const check = keys.commands!.find(({ name }) => name === 'check')!
  assert.equal(/exits (\d+) when it does not open/.exec(check.summary)?.[1], String(exitCode))
  await assert.rejects(rig.restart(), (error: Problem) => error.code === 'encryption_keys_wrong')
  rig.env.ENCRYPTION_KEYS = newKey
  await rig.restart()
})

test('a backup taken under load is whole, and a service restored from it goes on where it was', async () => {
  await install(rig, 777, { writeKey: 'another-write-key-0123456789abcd' })
  rig.sims.segment.script({ status: 503 })
  let answered = 0
  const posting = Array.from({ length: 4 }, async (_, who) => {
    for (let n = 0; n < 50; n++) if ((await post(update(who + 1, n))).status === 200) answered++
  })
  await eventually(() => answered > 40)
  const atLeast = answered
  const copy = join(rig.folder, 'copy.db')
  assert.match((await run('backup', {}, [copy])).output, /written: /)
  await assert.rejects(run('backup', {}, [copy]), (error: Problem) => error.code === 'backup_exists')
  const nowhere = join(rig.folder, 'no', 'copy.db')
  await assert.rejects(run('backup', {}, [nowhere]), (error: Problem) => error.code === 'backup_failed')
  await Promise.all(posting)
  await settled(rig, ({ received }) => received === 200)
  rig.env.DATABASE_URL = `sqlite:${copy}`
  await rig.restart()
  const outcomes = await rig.outcomes()
  assert.ok(addsUp(outcomes) && outcomes.received >= atLeast && outcomes.received <= 200)
  rig.sims.segment.script(undefined)
  await run('installs retry', { org: id })
  const after = await settled(rig, ({ delivered }) => delivered === outcomes.received)
  assert.equal(after.waiting, 0)
})
