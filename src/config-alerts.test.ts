/** The settings of alerts: what is taken, and what is refused by name and without its value. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { neededSettings, problemOf } from '../test/settings.ts'
import { readConfig } from './config.ts'

const from = { ALERT_FROM: 'alerts@connector.example' }
const alertsOf = (env: Record<string, string>) => readConfig({ ...neededSettings, ...env }).alerts

describe('the settings of alerts', () => {
  test('are not needed', () => {
    assert.deepEqual(alertsOf({}), { operatorUrl: undefined, mail: undefined })
  })

  test('take a mail server with and without TLS from the start, a port, and a user and password', () => {
    for (const SMTP_URL of ['smtps://mail.example', 'smtp://user:p%40ss@mail.example:587', 'smtp://127.0.0.1:25/'])
      assert.deepEqual(alertsOf({ SMTP_URL, ...from }).mail, { url: SMTP_URL, from: from.ALERT_FROM })
  })

  test('take an address for the operator, with a secret in its path or query, and http on loopback', () => {
    for (const OPERATOR_ALERT_URL of ['https://alerts.example/a?key=b', 'http://127.0.0.1:9000/', 'http://[::1]/x'])
      assert.equal(alertsOf({ OPERATOR_ALERT_URL }).operatorUrl, OPERATOR_ALERT_URL)
  })

  test('need ALERT_FROM with SMTP_URL, and say why', () => {
    const { message } = problemOf({ ...neededSettings, SMTP_URL: 'smtps://mail.example' })
    assert.match(message, /^ {2}ALERT_FROM: .*SMTP_URL needs it/m)
  })

  const wrong: readonly (readonly [what: string, name: string, value: string])[] = [
    ['a mail server over another protocol', 'SMTP_URL', 'https://mail.example'],
    ['a mail server with options', 'SMTP_URL', 'smtp://mail.example?tls=no'],
    ['a mail server with a path', 'SMTP_URL', 'smtp://mail.example/inbox'],
    ['a half-encoded password', 'SMTP_URL', 'smtp://user:50%@mail.example'],
    ['two senders', 'ALERT_FROM', 'a@mail.example, b@mail.example'],
    ['a sender with a name', 'ALERT_FROM', 'Alerts <a@mail.example>'],
    ['a sender with a line break', 'ALERT_FROM', 'a@mail.example\nBcc: b@mail.example'],
    ['http in public', 'OPERATOR_ALERT_URL', 'http://alerts.example/SECRET'],
    ['a user name', 'OPERATOR_ALERT_URL', 'https://user@alerts.example/SECRET'],
    ['a fragment', 'OPERATOR_ALERT_URL', 'https://alerts.example/#SECRET'],
    ['a name without a protocol', 'OPERATOR_ALERT_URL', 'alerts.example'],
  ]
  for (const [what, name, value] of wrong)
    test(`refuse ${what} as ${name}`, () => {
      const others = name === 'SMTP_URL' ? from : {}
      const { message } = problemOf({ ...neededSettings, ...others, [name]: value })
      assert.match(message, new RegExp(`^ {2}${name}`, 'm'))
      assert.ok(!message.includes(value))
    })
})
