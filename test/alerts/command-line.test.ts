/** The command line of alerts: every command, and what it refuses. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Given } from '../../src/cli/command.ts'
import type { Problem } from '../../src/lib/errors.ts'
import { type AlertReceiver, startAlertReceiver } from '../../src/sim/alert-receiver.ts'
import { install, org, type Rig, startRig } from '../rig.ts'

let rig: Rig
let receiver: AlertReceiver
before(async () => {
  receiver = await startAlertReceiver()
  rig = await startRig({ unsafeAllowLoopback: true })
})
after(async () => {
  await rig.close()
  await receiver.close()
})

const run = (command: string, given: Given = {}, stdin?: string) =>
  rig.command(`alerts ${command}`, { given: { org: String(org), ...given }, ...(stdin === undefined ? {} : { stdin }) })
const refused = (command: string, given: Given, code: string, stdin?: string) =>
  assert.rejects(run(command, given, stdin), (problem: Problem) => problem.code === code)

describe('alerts', { timeout: 60_000 }, () => {
  test('add, list, test, log and remove: the address comes from standard input and is never printed', async () => {
    assert.match((await run('list')).output, /^nowhere yet/)
    assert.equal((await run('log')).output, 'no alerts yet')
    const address = `${receiver.url}/SECRETabcd`
    const { output } = await run('add', { channel: 'webhook' }, `${address}\n`)
    assert.match(output, /^[0-9a-f]{10} {2}Webhook {2}127\.0\.0\.1:\d+ …abcd\n.*\n?[\s\S]*whsec_[A-Za-z0-9+/]{43}=$/)
    receiver.secret = output.split('\n').at(-1)
    const recipient = output.split(' ')[0]!
    assert.match((await run('list')).output, new RegExp(`^${recipient} {2}Webhook {2}127\\.0\\.0\\.1:\\d+ …abcd$`))
    const tested = await run('test', { recipient })
    assert.deepEqual([tested.exitCode, tested.output], [0, 'the receiver accepted it (the answer was 204)'])
    await refused('test', { recipient }, 'alert_test_too_soon')
    assert.match((await run('log')).output, new RegExp(`Webhook ${recipient} {2}a test: the receiver accepted it`))
    const all = [output, (await run('log', { json: true })).output, (await run('list', { json: true })).output]
    for (const text of all) assert.doesNotMatch(text, /SECRET/)
    assert.equal((await run('remove', { recipient })).output, 'removed')
    await refused('remove', { recipient }, 'alert_recipient_not_there')
    await refused('test', { recipient }, 'alert_recipient_not_there')
  })

  test('test says what a receiver answered that did not accept it, and ends with 1', async () => {
    const another = { org: '6000993' }
    await install(rig, Number(another.org))
    receiver.script({ status: 503 })
    const { output } = await run('add', { ...another, channel: 'slack' }, receiver.url)
    const tested = await run('test', { ...another, recipient: output.split(' ')[0]! })
    assert.deepEqual([tested.exitCode, tested.output], [1, 'not sent: the answer was 503'])
    receiver.script(undefined)
  })

  const wrong: [what: string, channel: string, address: string, code: string][] = [
    ['an address in this network', 'webhook', 'https://10.0.0.1/', 'alert_address_refused'],
    ['plain http', 'slack', 'http://hooks.slack.com/services/a', 'alert_address_refused'],
    ['nothing', 'webhook', '', 'alert_address_refused'],
    ['an e-mail address where no mail is sent', 'email', 'a@customer.example', 'alert_mail_off'],
  ]
  for (const [what, channel, address, code] of wrong)
    test(`add refuses ${what}`, () => refused('add', { channel }, code, address))

  test('add refuses an address twice, and says how a webhook gets another secret, which it does', async () => {
    const given = { org: '6000994', channel: 'webhook' }
    await install(rig, Number(given.org))
    const secretOf = ({ output }: { output: string }) => /whsec_\S+$/.exec(output)![0]
    const first = secretOf(await run('add', given, receiver.url))
    const twice = run('add', given, receiver.url)
    await assert.rejects(twice, { code: 'alert_recipient_there', hint: /another secret.* \?2 behind/ })
    assert.notEqual(secretOf(await run('add', given, `${receiver.url}?2`)), first)
  })

  test('add refuses an account that is not installed', () =>
    refused('add', { org: '99', channel: 'webhook' }, 'not_installed', 'https://example.com/'))

  test('rules shows every rule, and switches them and the minutes', async () => {
    assert.match(
      (await run('rules')).output,
      /^stopped +on +Events are not sent\ndelayed +on +Events are delayed: after 15 minutes\n/,
    )
    const { output } = await run('rules', { off: 'silence,failed', delay: '30' })
    assert.match(output, /delayed +on .*30 minutes\nsilence +off .*\nfailed +off /)
    const shown = JSON.parse((await run('rules', { on: 'failed', json: true })).output)
    assert.deepEqual(
      shown.rules.filter(({ is }: { is: string }) => is === 'off').map(({ rule }: { rule: string }) => rule),
      ['silence'],
    )
    assert.equal(shown.delayMinutes, 30)
    const [entry] = await rig.service.store.storage.audit.list(String(org), 1)
    assert.deepEqual([entry!.what, entry!.about], ['chose the alerts', 'off: silence; late after 30 minutes'])
    await refused('rules', { off: 'everything' }, 'alert_rule_unknown')
    for (const delay of ['4', '1441', 'x']) await refused('rules', { delay }, 'alert_delay_unusable')
  })

  test('log and test take an account or the operator, not both and not neither', async () => {
    for (const command of ['log', 'test']) {
      await refused(command, { operator: true }, 'org_unusable')
      await assert.rejects(rig.command(`alerts ${command}`), (problem: Problem) => problem.code === 'org_unusable')
    }
    assert.equal((await rig.command('alerts log', { given: { operator: true } })).output, 'no alerts yet')
  })

  test('test refuses to wait for a service that does not run', async () => {
    const { output } = await run('add', { channel: 'slack' }, `${receiver.url}/2`)
    await rig.service.close()
    await refused('test', { recipient: output.split(' ')[0]! }, 'no_service')
  })
})
