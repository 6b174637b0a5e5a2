/** How messages are sent: again until they are accepted, under one id, in order, and signed. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { whatBecame } from '../../src/alerts/log.ts'
import { addRecipient, listRecipients, removeRecipient } from '../../src/alerts/recipients.ts'
import { type AlertStage, account, eachAlertStage, publicUrl } from '../alert-stage.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
let stage: AlertStage
eachAlertStage((made) => {
  stage = made
})

const now = () => stage.clock.now()

describe('a message that is not accepted', () => {
  const refusals = [
    ['503', { status: 503 }],
    ['404', { status: 404 }],
    ['400', { status: 400 }],
    ['a redirect', { redirect: 'http://127.0.0.1:1/' }],
    ['a reset', { reset: 'before' }],
  ] as const
  for (const [what, action] of refusals)
    test(`because of ${what} is sent again under its id until it is, and what comes later waits for it`, async () => {
      await stage.add('webhook')
      stage.hook.script([action, action, action])
      await stage.stop()
      await stage.mend()
      await stage.sendAll()
      assert.deepEqual(
        stage.hook.received.map(({ type }) => type),
        ['alert.raised', 'alert.recovered'],
      )
      const ids = stage.hook.requests.map(({ headers }) => headers['webhook-id'])
      assert.deepEqual([ids.length, new Set(ids.slice(0, 4)).size, new Set(ids).size], [5, 1, 2])
      const times = stage.hook.requests.map(({ headers }) => Number(headers['webhook-timestamp']))
      assert.ok(times[3]! > times[0]!, 'each attempt is signed at its own time')
    })

  test('keeps messages to other recipients from nothing', async () => {
    await stage.add('webhook')
    await stage.add('slack')
    stage.hook.script({ status: 503 })
    await stage.stop()
    await stage.send()
    assert.equal(stage.slack.received.length, 1)
  })

  test('is sent again after what Retry-After says', async () => {
    await stage.add('webhook')
    stage.hook.script([{ status: 429, headers: { 'retry-after': '90' } }])
    await stage.stop()
    await stage.send()
    const [message] = await stage.messages()
    assert.equal(message!.dueAt, now() + 90_000)
  })

  test('has attempts that are at most fifteen minutes apart, for a week', async () => {
    await stage.add('webhook')
    stage.hook.script({ status: 500 })
    await stage.stop()
    const startedAt = now()
    const [message] = await stage.sendAll()
    assert.equal(message!.end, 'failed')
    const days = (message!.endedAt! - startedAt) / dayMs
    assert.ok(days > 7 && days < 7.02, String(days))
    assert.ok(message!.tries > 7 * 24 * 4, String(message!.tries))
    assert.match(whatBecame(message!), /^not sent: the answer was 500/)
  })

  test('is not sent again where the receiver says that it is gone for good (410)', async () => {
    await stage.add('webhook')
    stage.hook.script({ status: 410 })
    await stage.stop()
    const [message] = await stage.sendAll()
    assert.deepEqual([message!.tries, message!.end, message!.last?.status], [1, 'failed', 410])
  })

  test('is not sent any more when its recipient is removed', async () => {
    const id = await stage.add('webhook')
    stage.hook.script({ status: 503 })
    await stage.stop()
    await stage.send()
    assert.equal(await removeRecipient(stage.needs, account, id, 'an admin'), true)
    stage.clock.jump(dayMs)
    assert.equal(await stage.send(), 0)
    assert.equal((await stage.messages())[0]!.end, 'removed')
    assert.equal(stage.hook.requests.length, 1)
  })
})

test('an answer that was lost leads to a second attempt under the same id, so the receiver knows it again', async () => {
  await stage.add('webhook')
  stage.hook.script([{ reset: 'after' }])
  await stage.stop()
  await stage.sendAll()
  assert.deepEqual([stage.hook.requests.length, stage.hook.received.length], [2, 1])
})

test('a message of a process that ended while it sent is sent by another, under the same id', async () => {
  await stage.add('webhook')
  await stage.stop()
  const limit = { channel: 'email', since: 0, most: 50 } as const
  for (const _ of ['the account', 'the operator'])
    assert.ok(await stage.storage.alerts.claim(now(), now() + minuteMs, limit))
  assert.equal(await stage.send(), 0, 'they have leases')
  stage.clock.jump(minuteMs)
  assert.equal(await stage.send(), 2)
  const [message] = await stage.messages()
  assert.deepEqual([stage.hook.received[0]!.id, stage.hook.requests.length], [message!.id, 1])
})

test('a webhook is signed as Standard Webhooks says, with the secret that was shown once', async () => {
  const added = await addRecipient(stage.needs, account, { channel: 'webhook', address: stage.hook.url, who: 'a test' })
  assert.ok(added.is === 'added' && added.secret)
  assert.match(added.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  await stage.stop()
  await stage.send()
  const { headers, body } = stage.hook.requests[0]!
  const key = Buffer.from(added.secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
  assert.equal(Number(headers['webhook-timestamp']), Math.floor(now() / 1_000))
  assert.deepEqual(Object.keys(JSON.parse(body)).sort(), ['data', 'timestamp', 'type'])
  for (const shown of [
    await listRecipients(stage.needs, account),
    await stage.storage.audit.list(account, 9),
    stage.lines,
  ])
    assert.ok(!JSON.stringify(shown).includes(added.secret), 'and never again')
})

test('Slack gets one text, a mail a subject and a text, with what happened and what to do', async () => {
  await stage.add('slack')
  await stage.add('email')
  await stage.send()
  await stage.stop('segment_401')
  await stage.send()
  const { text } = stage.slack.received[0]!.body
  const mail = stage.smtp.mails.at(-1)!
  const subject = `Drift to Segment: events are not sent (account ${account})`
  assert.equal(String(text).split('\n')[0], subject)
  assert.match(mail.text, /^Subject: Drift to Segment: events are not sent \(account 5000883\)$/m)
  assert.deepEqual([mail.from, mail.to], ['alerts@connector.example', ['marketing@customer.example']])
  for (const body of [String(text), mail.text.replaceAll('=\n', '')]) {
    assert.match(body, /No events are sent to Segment\. Segment does not accept the write key \(401\)\. They are kept/)
    assert.match(body, /What to do: Open the console/)
    assert.ok(body.includes(`${publicUrl}/console`))
  }
})

test('an answer that repeats the request is not kept: of a text only a code of one word is', async () => {
  await stage.add('webhook')
  const answers = ['<p>SECRET</p>', 'SECRET SECRET', '{"url":"https://SECRET"}', 'secret'.repeat(40)]
  stage.hook.script(answers.map((body) => ({ status: 400, body })))
  await stage.stop()
  for (let n = 0; n < answers.length; n++) {
    await stage.send()
    stage.clock.jump(minuteMs)
  }
  assert.ok(stage.hook.requests.length >= answers.length)
  assert.doesNotMatch(JSON.stringify([stage.lines, await stage.messages()]), /secret/i)
})
