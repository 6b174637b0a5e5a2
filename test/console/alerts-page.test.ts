/** The page Alerts, as a browser without scripts has it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settingsOf } from '../../src/accounts/settings.ts'
import { type AlertReceiver, startAlertReceiver } from '../../src/sim/alert-receiver.ts'
import { formsOf, type Seen } from '../../src/sim/visitor.ts'
import { install, org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const path = '/console/alerts'
let rig: Rig
let receiver: AlertReceiver
let admin: Walk
before(async () => {
  receiver = await startAlertReceiver()
  rig = await startRig({ unsafeAllowLoopback: true })
  admin = openWalk(rig)
  await admin.connect(org, 'console')
})
after(async () => {
  await admin.close()
  await rig.close()
  await receiver.close()
})

const look = () => admin.get(admin.at(path))
const submit = async (action: string, fields: Record<string, string>) =>
  admin.follow(await admin.submit(await look(), fields, `${path}/${action}`))
const textOf = ({ body }: Seen) =>
  body
    .replace(/^[\s\S]*<main/, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
const settings = () => settingsOf(rig.service.store.accounts.get(String(org))!)

describe('the page Alerts', { timeout: 60_000 }, () => {
  test('says that alerts go nowhere yet, and is in the navigation', async () => {
    const page = await look()
    assert.match(textOf(page), /Alerts go nowhere yet/)
    assert.match(page.body, /<a href="\/console\/alerts" aria-current="page">Alerts<\/a>/)
    assert.doesNotMatch(page.body, /value="email"/, 'no mail server is set')
  })

  test('adds a webhook and shows its secret once; afterwards the host and the last characters of its address', async () => {
    const address = `${receiver.url}/SECRETabcd`
    const added = await submit('add', { channel: 'webhook', address })
    const [secret] = /whsec_[A-Za-z0-9+/]{43}=/.exec(added.body) ?? assert.fail(textOf(added))
    receiver.secret = secret
    const page = await look()
    assert.match(textOf(page), /127\.0\.0\.1:\d+ …abcd Webhook Active/)
    for (const { body } of [page, await admin.get(admin.at('/console/audit'))])
      assert.doesNotMatch(body, /whsec_|SECRET/)
  })

  test('refuses an address twice, and says how a webhook gets another secret', async () => {
    const again = await submit('add', { channel: 'webhook', address: `${receiver.url}/SECRETabcd` })
    assert.equal(again.status, 422)
    assert.match(textOf(again), /Not added: .* for another secret, add it with \?2 behind it/)
    assert.doesNotMatch(again.body, /SECRET/)
  })

  test('sends a test and reports the answer; a second one within the minute is not sent', async () => {
    const tested = await submit('test', {})
    assert.match(textOf(tested), /Test: the receiver accepted it \(the answer was 204\)\./)
    assert.deepEqual([receiver.received[0]?.type, receiver.received[0]?.isSigned], ['alert.test', true])
    assert.match(textOf(tested), /Sent alerts .* A test Accepted The receiver accepted it/)
    const again = await submit('test', {})
    assert.deepEqual([again.status, /Try again in a minute/.test(again.body)], [409, true])
  })

  test('shows no outcome of a test of another account', async () => {
    const other = 6_000_993
    await install(rig, other)
    const needs = { org: String(other), recipient: 'x', channel: 'slack', kind: 'test', createdAt: Date.now() } as const
    await rig.service.store.storage.alerts.create({ ...needs, id: 'of-another', body: '{"is":"test","items":[]}' })
    const page = await admin.get(admin.at(`${path}?tested=of-another`))
    assert.doesNotMatch(textOf(page), /has not answered yet|Test:/)
  })

  const wrong: readonly (readonly [what: string, address: string, says: RegExp])[] = [
    [
      'an address in this network',
      'https://10.0.0.1/SECRET',
      /Not added: the address must lead to the public internet\./,
    ],
    ['plain http', 'http://hooks.example.com/SECRET', /Not added: the address must begin with https/],
    ['a user name', 'https://SECRET@hooks.example.com/', /Not added: the address must not hold a user name/],
  ]
  for (const [what, address, says] of wrong)
    test(`refuses ${what}, says why, and does not repeat it`, async () => {
      const page = await submit('add', { channel: 'slack', address })
      assert.equal(page.status, 422)
      assert.match(textOf(page), says)
      assert.doesNotMatch(page.body, /SECRET/)
    })

  test('saves which alerts there are and the minutes, and refuses minutes that are none', async () => {
    const saved = await submit('rules', { on: 'stopped', delay: '30' })
    assert.match(textOf(saved), /Saved\./)
    assert.deepEqual(settings().alertsOff, [
      'delayed',
      'silence',
      'failed',
      'unrecognized',
      'deletion_request',
      'missing',
    ])
    assert.equal(settings().alertDelayMinutes, 30)
    assert.match(saved.body, /name="delay" type="text" value="30"/)
    for (const delay of ['4', '1441', 'soon', ''])
      assert.equal((await submit('rules', { on: 'stopped', delay })).status, 422, delay)
    assert.equal(settings().alertDelayMinutes, 30)
  })

  test('shows what was filled in where that cannot be saved: the boxes, the minutes, the channel', async () => {
    const { body } = await submit('rules', { on: 'missing', delay: 'soon' })
    const ticked = [...body.matchAll(/name="on" value="(\w+)" checked/g)].map(([, rule]) => rule)
    assert.deepEqual(ticked, ['missing'])
    assert.match(body, /name="delay" type="text" value="soon"[^>]* aria-invalid="true"/)
    const added = await submit('add', { channel: 'slack', address: 'http://hooks.example.com/SECRET' })
    assert.match(added.body, /<option value="slack" selected>/)
  })

  test('does not save a form that shows what was there before another admin changed it', async () => {
    const page = await look()
    await submit('rules', { on: 'silence', delay: '20' })
    const stale = await admin.submit(page, { on: 'failed', delay: '25' }, `${path}/rules`)
    assert.equal(stale.status, 409)
    assert.match(textOf(stale), /Your change was not saved/)
    assert.equal(settings().alertDelayMinutes, 20)
  })

  test('removes a recipient, and what waits for it is not sent', async () => {
    const removed = await submit('remove', {})
    assert.match(textOf(removed), /Removed\. Nothing more is sent there\./)
    assert.match(textOf(removed), /Alerts go nowhere yet/)
    assert.match((await admin.get(admin.at('/console/audit'))).body, /Removed a recipient of alerts/)
    assert.equal(formsOf((await look()).body).filter(({ action }) => action === `${path}/test`).length, 0)
  })
})
