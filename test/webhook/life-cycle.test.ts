/** The two webhooks that are not sent to Segment but acted on, seen from outside: each is, whatever it says, and each time. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually, type ManualClock, manualClock } from '../clock.ts'
import { oddData } from '../odd-data.ts'
import { closeCounted, install, org, type Rig, startRig } from '../rig.ts'
import { openWalk } from '../walk.ts'

const options = { timeout: 60_000 }
const day = 24 * 3_600_000
const id = String(org)
let rig: Rig
let clock: ManualClock

beforeEach(async () => {
  // Ahead of the system's clock, by which commands beside the service go.
  clock = manualClock(Date.now() + 3_600_000)
  rig = await startRig({ clock })
})
afterEach(() => closeCounted(rig))

const state = () => rig.service.store.accounts.get(id)?.state
const post = async (type: string, member = ',"data":{}', orgId: number | string = org) => {
  const token = rig.sims.drift.settings.verificationToken
  const body = `{"type":"${type}","orgId":${orgId},"token":"${token}"${member}}`
  const answer = await fetch(rig.to, { method: 'POST', body, headers: { 'x-verification-token': token } })
  assert.deepEqual([answer.status, await answer.text()], [200, '{"ok":true}'])
}
/** Until it is so, while time passes. */
const inTime = (isSo: () => boolean | Promise<boolean>, stepMs = 1_000) =>
  eventually(async () => {
    clock.advance(stepMs)
    return isSo()
  })
const uninstall = () => rig.sims.drift.revokeAll()
/** How often it has left, with everything of it erased. */
const goodbyes = async () => {
  const audit = await rig.service.store.storage.audit.list(id, 99)
  return audit.filter(({ what }) => what === 'disconnected the account').length
}
const entries = async () => (await rig.service.store.storage.lookup.find({}, { limit: 99 })).entries

describe('an account that disconnects', options, () => {
  test('is disconnected by each webhook that says so, whatever its data is, and as often as it was connected', async () => {
    for (const [nth, [what, member]] of oddData.entries()) {
      uninstall()
      await post('app_disconnected', member)
      await inTime(async () => (await goodbyes()) === nth + 1, 100)
      await install(rig)
      assert.equal(state(), 'live', what)
    }
    assert.equal((await rig.outcomes()).duplicates, 0)
  })

  test('is disconnected by the same webhook as last time, after it was connected again', async () => {
    for (let times = 1; times <= 3; times++) {
      uninstall()
      for (let again = 0; again < 3; again++) await post('app_disconnected')
      await inTime(async () => (await goodbyes()) === times, 100)
      await install(rig)
    }
    const { duplicates, held } = await rig.outcomes()
    assert.deepEqual([duplicates, held], [0, 0])
  })

  test('and has not really: the same again and at once is asked about each time, and harms nothing', async () => {
    await Promise.all(Array.from({ length: 9 }, () => post('app_disconnected')))
    await eventually(async () => (await rig.outcomes()).ignored === 9)
    await eventually(() => state() === 'live' && rig.service.store.accounts.get(id)?.reason === undefined)
    const asked = rig.sims.drift.count('/app/token_info')
    await post('app_disconnected')
    await eventually(() => rig.sims.drift.count('/app/token_info') === asked + 1)
    assert.equal((await rig.outcomes()).duplicates, 0)
  })
})

describe('a request that a person be deleted', options, () => {
  const requests = async () => (await entries()).filter(({ reason }) => reason === 'gdpr_delete_requested')

  test('is kept under that reason whatever its data is, each for itself, however equal they are', async () => {
    for (const [, member] of oddData)
      for (let times = 0; times < 2; times++) await post('gdpr_delete_requested', member)
    const kept = await requests()
    assert.equal(kept.length, 2 * oddData.length)
    assert.ok(kept.every(({ state: of, org: whose }) => of === 'quarantined' && whose === id))
    const { held, duplicates } = await rig.outcomes()
    assert.deepEqual([held, duplicates], [kept.length, 0])
  })

  test('is kept for years, while what else was quarantined goes after 30 days', async () => {
    await post('gdpr_delete_requested')
    await post('new_meeting', ',"data":[]')
    assert.equal((await entries()).length, 2)
    clock.jump(31 * day)
    await inTime(async () => (await entries()).length === 1, 10_000)
    clock.jump(1_000 * day)
    await inTime(async () => (await rig.service.store.storage.ledger.totals()).length > 0, 10_000)
    for (let round = 0; round < 10; round++) {
      clock.advance(10_000)
      await rig.outcomes()
    }
    assert.equal((await requests()).length, 1)
  })

  test('is not sent, however often all that was quarantined is driven again', async () => {
    await post('gdpr_delete_requested', ',"data":{"contactId":77}')
    await post('gdpr_delete_requested', ',"data":null')
    await rig.command('redrive', { given: { state: 'quarantined' } })
    assert.equal((await requests()).length, 2)
    assert.equal(rig.sims.segment.requests.length, 0)
  })

  test('of an account that is not installed waits for it, and is shown when it is', async () => {
    await post('gdpr_delete_requested', ',"data":null', 777)
    assert.deepEqual(
      (await entries()).map(({ state: of, reason }) => [of, reason]),
      [['unclaimed', 'not_installed']],
    )
    await install(rig, 777)
    await eventually(async () => (await requests()).length === 1)
    const [request] = await requests()
    assert.deepEqual([request?.org, request?.state], ['777', 'quarantined'])
  })

  test('leaves the list when a person has handled it: on the command line, in the console, or by erasing who it names', async () => {
    const named = [',"data":null', ',"data":"jo@example.com"', ',"data":{"contactId":77}', ',"data":{"id":78}']
    for (const member of named) await post('gdpr_delete_requested', member)
    const [last, byContact, inConsole, byCommand] = await requests()
    const handled = (message: string) => rig.command('handled', { given: { org: id, message } })
    assert.match((await handled(byCommand!.messageId)).output, /^handled/)
    await assert.rejects(handled(byCommand!.messageId), { code: 'request_not_there' })
    const admin = openWalk(rig)
    await admin.connect(org)
    const path = `/console/events/${inConsole!.messageId}`
    const page = await admin.get(admin.at(path))
    assert.match(page.body, /Deletion request: Drift asks to delete a person/)
    assert.doesNotMatch(page.body, />Resend<\/button>|Not recognized/)
    await admin.submit(page, {}, `${path}/handled`)
    await admin.close()
    await rig.command('erase', { given: { org: id, contact: '77' } })
    assert.deepEqual(
      (await requests()).map(({ messageId }) => messageId),
      [last!.messageId],
    )
    assert.ok(byContact)
    const audit = await rig.service.store.storage.audit.list(id, 9)
    assert.equal(audit.filter(({ what }) => what === 'handled a request for deletion').length, 2)
  })

  test('is all that can be handled: an event is not taken away by it', async () => {
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    await eventually(async () => (await rig.outcomes()).delivered === 1)
    const [event] = await entries()
    const given = { org: id, message: event!.messageId }
    await assert.rejects(rig.command('handled', { given }), { code: 'request_not_there' })
  })
})
