/** Alerts of a whole service: real receivers, a real Segment, a real store. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { AlertReceiver } from '../../src/sim/alert-receiver.ts'
import { startAlertReceiver } from '../../src/sim/alert-receiver.ts'
import { eventually } from '../clock.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'
import { type MailServer, startMailServer } from '../smtp.ts'
import { openWalk } from '../walk.ts'

const given = { org: String(org) }
let rig: Rig
let receiver: AlertReceiver
let operator: AlertReceiver
let smtp: MailServer
before(async () => {
  ;[receiver, operator, smtp] = await Promise.all([startAlertReceiver(), startAlertReceiver(), startMailServer()])
  const env = { OPERATOR_ALERT_URL: operator.url, SMTP_URL: smtp.url, ALERT_FROM: 'alerts@connector.example' }
  rig = await startRig({ env, unsafeAllowLoopback: true })
})
after(async () => {
  await rig.close()
  await Promise.all([receiver, operator, smtp].map((server) => server.close()))
})
afterEach(() => {
  receiver.script(undefined)
  rig.sims.segment.script(undefined)
})

const alerts = (command: string, more: Record<string, string> = {}, stdin?: string) =>
  rig.command(`alerts ${command}`, { given: { ...given, ...more }, ...(stdin === undefined ? {} : { stdin }) })
async function add(channel: string, address: string): Promise<{ id: string; secret?: string }> {
  const { exitCode, output } = await alerts('add', { channel, json: true as unknown as string }, address)
  assert.equal(exitCode, 0, output)
  return JSON.parse(output)
}
const hangingMessage = {
  org: String(org),
  channel: 'slack',
  kind: 'test',
  body: JSON.stringify({ is: 'test', items: [] }),
} as const
const types = ({ received }: AlertReceiver) => received.map(({ type }) => type)

describe('a service', { timeout: 120_000 }, () => {
  test('tells an account and the operator that Segment refuses the key, and that it accepts it again', async () => {
    const { secret } = await add('webhook', receiver.url)
    receiver.secret = secret
    rig.sims.segment.script({ status: 401 })
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    await receiver.waitFor((received) => received.length === 1)
    await operator.waitFor((received) => received.length === 1)
    assert.deepEqual([types(receiver), types(operator)], [['alert.raised'], ['alert.raised']])
    rig.sims.segment.script(undefined)
    const retried = await rig.command('installs retry', { given })
    assert.equal(retried.exitCode, 0, retried.output)
    await receiver.waitFor((received) => received.length === 2)
    await operator.waitFor((received) => received.length === 2)
    assert.deepEqual([types(receiver)[1], types(operator)[1]], ['alert.recovered', 'alert.recovered'])
    assert.ok(receiver.received.every(({ isSigned }) => isSigned))
  })

  test('delivers events while receivers of alerts hang', async () => {
    const before = receiver.requests.length
    receiver.script({ hang: true })
    const { id } = await add('slack', `${receiver.url}/hanging`)
    const message = { ...hangingMessage, recipient: id, createdAt: Date.now() }
    for (let n = 0; n < 8; n++) await rig.service.store.storage.alerts.create({ ...message, id: `hanging-${n}` })
    await eventually(() => receiver.requests.length === before + 8)
    const accepted = rig.sims.segment.accepted.length
    const startedAt = performance.now()
    for (let n = 0; n < 20; n++) await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary: n + 1 })
    await rig.sims.segment.waitFor(accepted + 20)
    await settled(rig)
    assert.ok(
      receiver.requests.slice(before).every(({ status }) => status === 0),
      'each still hangs',
    )
    assert.ok(performance.now() - startedAt < 10_000, 'less than the deadline of a receiver')
  })

  test('stops within seconds while a receiver hangs, and sends the alert when it is started again', async () => {
    receiver.script({ hang: true })
    const { id } = await add('slack', `${receiver.url}/stopped`)
    const stored = { ...hangingMessage, id: 'stopped', kind: 'alert', recipient: id, createdAt: Date.now() } as const
    await rig.service.store.storage.alerts.create(stored)
    await eventually(() => receiver.requests.some(({ path }) => path === '/alerts/stopped'))
    const startedAt = performance.now()
    await rig.restart()
    assert.ok(performance.now() - startedAt < 8_000, 'less than the deadline of a receiver')
    receiver.script(undefined)
    await eventually(async () => (await rig.service.store.storage.alerts.get('stopped'))?.end === 'sent')
  })

  test('asks an e-mail address to confirm: looking at the link does nothing, its button does, and twice is once', async () => {
    const { id } = await add('email', 'marketing@customer.example')
    await eventually(() => smtp.mails.length === 1)
    const [, path = ''] = /^http:\/\/127\.0\.0\.1:\d+(\/alerts\/confirm\/\S+)$/m.exec(
      smtp.mails[0]!.text.replaceAll('=\n', ''),
    )!
    const walk = openWalk(rig)
    const isConfirmed = async () => {
      const { output } = await alerts('list', { json: true as unknown as string })
      return (JSON.parse(output) as { id: string; isConfirmed: boolean }[]).find((one) => one.id === id)!.isConfirmed
    }
    try {
      const asking = await walk.get(walk.at(path))
      assert.equal(asking.status, 200)
      assert.match(asking.body, /…ting@customer\.example/)
      assert.doesNotMatch(asking.body, /marketing@/)
      assert.equal(asking.headers['referrer-policy'], 'no-referrer')
      assert.equal(await isConfirmed(), false)
      for (let n = 0; n < 2; n++) assert.match((await walk.submit(asking)).body, /Confirmed/)
      assert.equal(await isConfirmed(), true)
      assert.match((await walk.get(walk.at(path))).body, /Confirmed/)
      const entries = (await rig.service.store.storage.audit.list(String(org), 99)).map(({ what }) => what)
      assert.equal(entries.filter((what) => what === 'confirmed that alerts are wanted').length, 1)
      const other = path.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
      for (const wrong of [other, path.replace(String(org), '1'), '/alerts/confirm/x', '/alerts/confirm/a.b.c']) {
        assert.equal((await walk.get(walk.at(wrong))).status, 410, wrong)
        assert.equal((await walk.post(walk.at(wrong), {})).status, 410, wrong)
      }
      assert.equal((await alerts('remove', { recipient: id })).exitCode, 0)
      assert.equal((await walk.get(walk.at(path))).status, 410)
    } finally {
      await walk.close()
    }
  })

  test('gives recipients a last alert when Drift has disconnected the account, and then nothing of it is left', async () => {
    const { alerts: stored, audit } = rig.service.store.storage
    const before = receiver.received.length
    // One that hangs keeps nothing.
    await add('slack', `${receiver.url}/never`)
    receiver.script(({ path }) => (path.endsWith('/never') ? { hang: true } : undefined))
    rig.sims.drift.accessTokens.clear()
    rig.sims.drift.refreshTokens?.clear()
    await rig.sims.drift.send({ type: 'app_disconnected', orgId: org, data: {} }, { to: rig.to })
    await eventually(() => rig.service.store.accounts.get(String(org))?.state === 'disconnected')
    const texts = receiver.received.slice(before).map(({ body }) => JSON.stringify(body))
    const told = texts.filter((text) => text.includes('Drift has disconnected this account'))
    assert.equal(told.length, 3, 'the webhook and both addresses of Slack’s that answer')
    await eventually(async () => (await stored.recipients(String(org))).length === 0)
    assert.deepEqual(await stored.list(String(org), 99), [])
    assert.ok(
      (await audit.list(String(org), 9)).some(
        ({ who, what }) => who === 'Drift' && what === 'disconnected the account',
      ),
    )
    const requests = receiver.requests.length
    receiver.script(undefined)
    await rig.restart()
    await eventually(async () =>
      (await rig.service.store.storage.alerts.watches()).every(({ org: of }) => of !== String(org)),
    )
    assert.equal(receiver.requests.length, requests, 'no request begins after it was erased')
  })

  test('that is stopped before a recipient has the last alert sends it when it is started again, and erases then', async () => {
    await install(rig)
    const { secret } = await add('webhook', `${receiver.url}/last`)
    receiver.secret = secret
    const had = () => receiver.requests.filter(({ path }) => path === '/alerts/last')
    receiver.script({ hang: true })
    rig.sims.drift.revokeAll()
    await rig.sims.drift.send({ type: 'app_disconnected', orgId: org, data: { nth: 2 } }, { to: rig.to })
    const stored = () => rig.service.store.storage.alerts.list(String(org), 9)
    await eventually(async () => (await stored()).some(({ body }) => body.includes('"disconnected"')))
    await rig.restart()
    assert.notEqual(rig.service.store.accounts.get(String(org))?.state, 'disconnected')
    receiver.script(undefined)
    await eventually(() => rig.service.store.accounts.get(String(org))?.state === 'disconnected')
    const last = had().filter(
      ({ body, status }) => status === 204 && body.includes('Drift has disconnected this account'),
    )
    assert.equal(last.length, 1)
  })
})
