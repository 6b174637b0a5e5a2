/** Where alerts go: e-mail addresses that were confirmed, limits, tests, and addresses that stay secret. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { whatBecame } from '../../src/alerts/log.ts'
import {
  addRecipient,
  afterTest,
  listRecipients,
  retireRecipients,
  testRecipient,
} from '../../src/alerts/recipients.ts'
import type { Message } from '../../src/storage/ports/alerts.ts'
import { type AlertStage, account, eachAlertStage } from '../alert-stage.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
let stage: AlertStage
eachAlertStage((made) => {
  stage = made
})

describe('an e-mail address', () => {
  const address = 'marketing@customer.example'
  const add = () => addRecipient(stage.needs, account, { channel: 'email', address, who: 'an admin' })

  test('gets nothing but a link until its owner has confirmed it', async () => {
    await add()
    await stage.stop()
    await stage.send()
    assert.equal(stage.smtp.mails.length, 1)
    const link = /https:\/\/connector\.example\/alerts\/confirm\/[\w.-]+/.exec(
      stage.smtp.mails[0]!.text.replaceAll('=\n', ''),
    )
    assert.ok(link)
    assert.equal((await stage.messages()).filter(({ kind }) => kind === 'alert').length, 0)
    const recipient = (await listRecipients(stage.needs, account))[0]!.id
    const body = JSON.stringify({ is: 'test', items: [] })
    const stored = {
      org: account,
      recipient,
      channel: 'email',
      kind: 'alert',
      body,
      createdAt: stage.clock.now(),
    } as const
    await stage.storage.alerts.create({ id: 'stored-all-the-same', ...stored })
    await stage.send()
    const message = await stage.storage.alerts.get('stored-all-the-same')
    assert.deepEqual([message!.end, message!.last?.answer, stage.smtp.mails.length], ['failed', 'unconfirmed', 1])
  })

  test('has messages with one id on every attempt', async () => {
    await stage.add('email')
    await stage.send()
    stage.smtp.mails.length = 0
    stage.smtp.answer = '451 later'
    await stage.stop()
    await stage.send()
    stage.smtp.answer = undefined
    await stage.sendAll()
    const message = (await stage.messages()).find(({ kind }) => kind === 'alert')
    assert.deepEqual([message!.tries, stage.smtp.mails.length], [2, 1])
    assert.match(stage.smtp.mails[0]!.text, new RegExp(`^Message-ID: <${message!.id}@connector\\.example>$`, 'm'))
  })

  test('that its server refuses for good is not tried again', async () => {
    await stage.add('email')
    await stage.send()
    stage.smtp.answer = '550 no such user'
    await stage.stop()
    const message = (await stage.sendAll()).find(({ kind }) => kind === 'alert')
    assert.deepEqual([message!.tries, message!.end, message!.last?.status], [1, 'failed', 550])
  })

  test('of an account gets at most fifty mails a day; the others wait and go on the next day', async () => {
    await stage.add('email')
    await stage.send()
    const { id } = (await listRecipients(stage.needs, account))[0]!
    for (let sent = 1; sent < 60; sent++) {
      await testRecipient(stage.needs, account, id, 'an admin')
      await stage.send()
      stage.clock.jump(minuteMs)
    }
    assert.equal(stage.smtp.mails.length, 50)
    stage.clock.jump(dayMs)
    await stage.send()
    assert.equal(stage.smtp.mails.length, 60)
  })

  test('that was not confirmed within seven days is removed, and its account’s audit says so', async () => {
    await stage.add('email')
    await stage.add('webhook')
    await addRecipient(stage.needs, account, { channel: 'email', address: 'other@customer.example', who: 'an admin' })
    const left = async () => (await listRecipients(stage.needs, account)).map(({ isConfirmed }) => isConfirmed).sort()
    stage.clock.jump(7 * dayMs)
    await retireRecipients(stage.needs)
    assert.deepEqual(await left(), [false, true, true])
    stage.clock.jump(1)
    await Promise.all([retireRecipients(stage.needs), retireRecipients(stage.needs)])
    assert.deepEqual(await left(), [true, true], 'those that were confirmed stay')
    const noted = (await stage.storage.audit.list(account, 9)).filter(({ who }) => who === 'service')
    assert.deepEqual(
      noted.map(({ what, about }) => [what, about]),
      [['removed an address for alerts that was never confirmed', 'email']],
    )
    const ended = (await stage.messages()).filter(({ end }) => end === 'removed')
    assert.equal(ended.length, 1, 'what waited for it is not sent')
  })

  test('cannot be added where the service sends no mail', async () => {
    const added = await addRecipient({ ...stage.needs, canMail: false }, account, {
      channel: 'email',
      address,
      who: 'an admin',
    })
    assert.deepEqual(added, { is: 'no_mail' })
  })

  test('is one of five at most, and one of ten recipients', async () => {
    const given = (channel: 'email' | 'slack', n: number) =>
      addRecipient(stage.needs, account, {
        channel,
        address: channel === 'email' ? `a${n}@customer.example` : `${stage.slack.url}/${n}`,
        who: 'an admin',
      })
    for (let n = 0; n < 5; n++) assert.equal((await given('email', n)).is, 'added')
    assert.equal((await given('email', 5)).is, 'full')
    for (let n = 0; n < 5; n++) assert.equal((await given('slack', n)).is, 'added')
    assert.equal((await given('slack', 5)).is, 'full')
    assert.equal((await given('slack', 0)).is, 'there')
  })
})

test('a recipient of an account that has left is erased, and one of an account that was connected just now is not', async () => {
  await stage.add('email')
  await addRecipient(stage.needs, account, { channel: 'email', address: 'other@customer.example', who: 'an admin' })
  const become = (state: 'live' | 'disconnected') =>
    stage.accounts.change(account, stage.clock.now(), (stored) => ({ ...stored, state }))
  await become('disconnected')
  await retireRecipients(stage.needs)
  assert.equal((await stage.storage.alerts.recipients()).length, 2, 'another process may have connected it again')
  stage.clock.jump(60 * minuteMs + 1)
  await retireRecipients(stage.needs)
  assert.deepEqual(await stage.storage.alerts.recipients(), [])
})

describe('a test', () => {
  test('reports the answer of the receiver, once a minute', async () => {
    const id = await stage.add('slack')
    stage.slack.script([{ status: 404, body: 'no_service' }])
    const asked = await testRecipient(stage.needs, account, id, 'an admin')
    assert.ok(asked.is === 'asked')
    await stage.send()
    const message = await afterTest(stage.needs, asked.message)
    assert.equal(whatBecame(message!), 'not sent: the answer was 404 no_service')
    assert.deepEqual(await testRecipient(stage.needs, account, id, 'an admin'), { is: 'too_soon' })
    stage.clock.jump(minuteMs)
    const again = await testRecipient(stage.needs, account, id, 'an admin')
    assert.ok(again.is === 'asked')
    await stage.send()
    assert.equal(
      whatBecame((await afterTest(stage.needs, again.message))!),
      'the receiver accepted it (the answer was 204)',
    )
    assert.equal(await stage.send(), 0, 'and is never sent again by itself')
  })

  test('that did not arrive says why in words: the host, the connection, the time and the certificate', () => {
    const became = (answer: string) =>
      whatBecame({ end: 'failed', tries: 1, last: { at: 0, status: 0, answer } } as Message)
    for (const [code, says] of [
      ['ENOTFOUND', /^not sent: its host is not known to the name servers: check the URL$/],
      ['ECONNREFUSED', /^not sent: nothing accepts a connection at this URL: check it/],
      ['UND_ERR_CONNECT_TIMEOUT', /^not sent: no answer came in time$/],
      ['ETIMEOUT', /^not sent: the name servers gave no answer/],
      ['TLS_EXPIRED', /^not sent: the certificate at the other side has run out/],
      ['TLS_UNTRUSTED', /^not sent: the certificate at the other side is not signed/],
      ['ECONNRESET', /^not sent: the receiver could not be reached, or hung up \(ECONNRESET\)$/],
    ] as const)
      assert.match(became(code), says)
  })

  test('to the operator goes without an account', async () => {
    const asked = await testRecipient(stage.needs, '', '', 'the command line')
    assert.ok(asked.is === 'asked')
    await stage.send()
    assert.equal(stage.operator.received[0]!.type, 'alert.test')
  })

  test('does not wait for an alert that its recipient does not accept', async () => {
    const id = await stage.add('webhook')
    stage.hook.script([{ status: 503 }])
    await stage.stop()
    await stage.send()
    await testRecipient(stage.needs, account, id, 'an admin')
    await stage.send()
    assert.deepEqual(
      stage.hook.received.map(({ type }) => type),
      ['alert.test'],
    )
  })
})

describe('what the store, the log and the audit have of an address', () => {
  const secretPath = 'services/T000/B000/SECRETSECRET'
  const given = [
    ['webhook', () => `${stage.hook.url}/${secretPath}`],
    ['slack', () => `${stage.slack.url}/${secretPath}`],
    ['email', () => 'marketing@customer.example'],
  ] as const
  for (const [channel, address] of given)
    test(`${channel}: sealed bytes, and the channel's name`, async () => {
      const added = await addRecipient(stage.needs, account, { channel, address: address(), who: 'an admin' })
      assert.equal(added.is, 'added')
      await stage.stop()
      await stage.send()
      const [stored] = await stage.storage.alerts.recipients(account)
      const { alerts, audit } = stage.storage
      const shown = [stage.lines, await audit.list(account, 9), await alerts.list(account, 9), await alerts.watches()]
      const everything = JSON.stringify(shown) + Buffer.from(stored!.sealed).toString('latin1')
      assert.doesNotMatch(everything, /SECRET|marketing@|customer\.example|127\.0\.0\.1/)
      assert.match(JSON.stringify(await audit.list(account, 9)), new RegExp(`added where alerts go.*${channel}`))
    })
})
