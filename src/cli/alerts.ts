/** Where an account's alerts go, its rules, and the log. An address is a secret, so it is read from standard input. */
import { chooseAlerts } from '../accounts/actions.ts'
import { settingsOf } from '../accounts/settings.ts'
import { channelName, shownMessage, whatBecame } from '../alerts/log.ts'
import {
  addRecipient,
  afterTest,
  channels,
  listRecipients,
  mailsMax,
  recipientsMax,
  removeRecipient,
  testRecipient,
} from '../alerts/recipients.ts'
import { ruleNames } from '../alerts/rules.ts'
import { words } from '../alerts/words.ts'
import { readConfig } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { systemRandom } from '../lib/random.ts'
import type { Store } from '../service.ts'
import type { Channel } from '../storage/ports/alerts.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { installOf, notInstalled, org, orgOf, who, withStore } from './store.ts'

const json: Option = { flags: '--json', meaning: 'print JSON' }
const recipient: Option = { flags: '--recipient <id>', meaning: 'as `alerts list` shows it', required: true }
const orgOrOperator: Option[] = [
  { flags: '--org <id>', meaning: "Drift's account number (orgId)" },
  { flags: '--operator', meaning: 'the alerts that go to OPERATOR_ALERT_URL, in place of --org' },
]

function needsOf({ env, unsafeAllowLoopback = false }: Context, store: Store) {
  const canMail = readConfig(env(), 'store').alerts.mail !== undefined
  return { ...store, random: systemRandom, canMail, unsafeAllowLoopback }
}

/** '' for the operator: exactly one of the two must be given. */
function whoseOf(given: Given): string {
  if ((given.org === undefined) === (given.operator !== true))
    throw new Problem('org_unusable', 'give --org with an account number, or --operator, and not both', { exitCode: 2 })
  return given.operator === true ? '' : orgOf(given.org)
}

const noRecipient = (id: string) =>
  new Problem('alert_recipient_not_there', `account ${id} has no such recipient for alerts`, {
    hint: `\`alerts list --org ${id}\` shows them`,
  })

const list: Command = {
  name: 'list',
  summary: 'where the alerts of an account go: channel, host and last characters of each recipient',
  options: [org, json],
  examples: ['npx drift-segment-source alerts list --org 12345'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      installOf(store, id)
      const recipients = await listRecipients(store, id)
      if (given.json) return context.print(JSON.stringify(recipients, undefined, 2))
      if (recipients.length === 0) return context.print('nowhere yet: `alerts add` adds a recipient')
      for (const each of recipients) {
        const waits = each.isConfirmed ? '' : '  not confirmed yet'
        context.print(`${each.id}  ${channelName(each.channel)}  ${each.address ?? '(does not open)'}${waits}`)
      }
    }),
}

const add: Command = {
  name: 'add',
  summary: 'send alerts of an account to an address, which is read from standard input',
  options: [org, { flags: '--channel <channel>', meaning: 'how they travel', choices: channels, required: true }, json],
  examples: [
    "echo 'https://hooks.example.com/alerts' | npx drift-segment-source alerts add --org 12345 --channel webhook",
    'npx drift-segment-source alerts add --org 12345 --channel slack < slack-webhook-address',
  ],
  async run(context, given) {
    const id = orgOf(given.org)
    const address = await context.readInput()
    return withStore(context, async (store) => {
      const channel = given.channel as Channel
      const added = await addRecipient(needsOf(context, store), id, { channel, address, who })
      if (added.is !== 'added') throw notAdded(id, added)
      if (given.json) return context.print(JSON.stringify({ ...added.recipient, secret: added.secret }, undefined, 2))
      context.print(`${added.recipient.id}  ${channelName(channel)}  ${added.recipient.address}`)
      if (added.secret) {
        context.remark('every alert is signed as Standard Webhooks says, with this secret, which is not shown again:')
        context.print(added.secret)
      }
      if (channel === 'email')
        context.remark('a mail with a link goes there: alerts are sent once its owner has confirmed it')
    })
  },
}

function notAdded(id: string, added: Exclude<Awaited<ReturnType<typeof addRecipient>>, { is: 'added' }>): Problem {
  switch (added.is) {
    case 'gone':
      return notInstalled(id)
    case 'refused':
      return new Problem('alert_address_refused', `the address ${added.why}`, {
        hint: 'alerts go to https addresses on port 443 of the public internet, and to plain e-mail addresses',
        exitCode: 2,
      })
    case 'full':
      return new Problem(
        'alert_recipients_full',
        `an account has at most ${recipientsMax} recipients, ${mailsMax} of them by e-mail`,
        {
          hint: '`alerts remove` removes one',
        },
      )
    case 'there':
      return new Problem('alert_recipient_there', 'alerts of this account go there already', {
        hint: 'for another secret of a webhook, add its address with ?2 behind it, and remove the old one',
      })
    case 'no_mail':
      return new Problem('alert_mail_off', 'this service sends no mail: SMTP_URL is not set', {
        hint: 'set SMTP_URL and ALERT_FROM, and restart the service',
      })
  }
}

const remove: Command = {
  name: 'remove',
  summary: 'send no more alerts to a recipient, those that wait included',
  options: [org, recipient],
  examples: ['npx drift-segment-source alerts remove --org 12345 --recipient 0a1b2c3d4e'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      if (!(await removeRecipient(needsOf(context, store), id, String(given.recipient), who))) throw noRecipient(id)
      context.print('removed')
    }),
}

const test: Command = {
  name: 'test',
  summary: 'send a test alert, and say what the receiver answered; exits 0 when it was accepted',
  options: [...orgOrOperator, { flags: '--recipient <id>', meaning: 'as `alerts list` shows it; needed with --org' }],
  examples: [
    'npx drift-segment-source alerts test --org 12345 --recipient 0a1b2c3d4e',
    'npx drift-segment-source alerts test --operator',
  ],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = whoseOf(given)
      if (id !== '') installOf(store, id)
      if (id !== '' && given.recipient === undefined)
        throw new Problem('alert_recipient_not_named', '--org needs --recipient: which of them is to be tested', {
          hint: `\`alerts list --org ${id}\` shows them`,
          exitCode: 2,
        })
      const needs = needsOf(context, store)
      if (!(await store.storage.isServed()))
        throw new Problem('no_service', 'no service runs on this store: nothing was sent', { hint: 'start it' })
      const tested = await testRecipient(needs, id, String(given.recipient ?? ''), who)
      if (tested.is !== 'asked') throw notTested(id, tested.is)
      const message = await afterTest(needs, tested.message)
      context.print(message ? whatBecame(message) : 'not answered within 20 s: `alerts log` shows the answer')
      return message?.end === 'sent' ? 0 : 1
    }),
}

function notTested(id: string, is: 'gone' | 'unconfirmed' | 'too_soon'): Problem {
  if (is === 'gone') return noRecipient(id)
  if (is === 'unconfirmed')
    return new Problem('alert_recipient_unconfirmed', 'its owner has not confirmed yet that alerts are wanted there')
  return new Problem('alert_test_too_soon', 'there was a test within the last minute: try again in a minute')
}

const rules: Command = {
  name: 'rules',
  summary: 'which alerts an account gets, and switches for each',
  options: [
    org,
    { flags: '--on <rules>', meaning: 'switch these on, comma separated' },
    { flags: '--off <rules>', meaning: 'switch these off, comma separated' },
    { flags: '--delay <minutes>', meaning: 'events that are queued for longer are delayed: 5 to 1440' },
    json,
  ],
  examples: [
    'npx drift-segment-source alerts rules --org 12345',
    'npx drift-segment-source alerts rules --org 12345 --off silence,failed --delay 30',
  ],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      installOf(store, id)
      const [on, off] = [rulesIn('--on', given.on), rulesIn('--off', given.off)]
      const delay = minutesIn(given.delay)
      if (on.length + off.length > 0 || delay !== undefined) {
        const was = settingsOf(installOf(store, id)).alertsOff
        const alertsOff = [...new Set([...was, ...off])].filter((rule) => !on.includes(rule))
        const chosen = { alertsOff, ...(delay === undefined ? {} : { alertDelayMinutes: delay }) }
        if (!(await chooseAlerts(store, id, { ...chosen, who }))) throw notInstalled(id)
      }
      const { alertsOff, alertDelayMinutes } = settingsOf(installOf(store, id))
      const rows = ruleNames.map((rule) => ({
        rule,
        is: alertsOff.includes(rule) ? 'off' : 'on',
        name: words[rule].name,
      }))
      if (given.json)
        return context.print(JSON.stringify({ rules: rows, delayMinutes: alertDelayMinutes }, undefined, 2))
      for (const { rule, is, name } of rows) {
        const after = rule === 'delayed' ? `: after ${alertDelayMinutes} minutes` : ''
        context.print(`${rule.padEnd(18)}${is.padEnd(5)}${name}${after}`)
      }
    }),
}

function rulesIn(option: string, given: Given[string]): string[] {
  const wanted = given === undefined ? [] : String(given).split(',')
  const odd = wanted.find((rule) => !(ruleNames as readonly string[]).includes(rule))
  if (odd === undefined) return wanted
  throw new Problem('alert_rule_unknown', `${option} does not know "${odd}"`, {
    hint: `it takes ${ruleNames.join(', ')}`,
    exitCode: 2,
  })
}

function minutesIn(given: Given[string]): number | undefined {
  if (given === undefined) return undefined
  const minutes = /^\d{1,4}$/.test(String(given)) ? Number(given) : 0
  if (minutes >= 5 && minutes <= 1_440) return minutes
  throw new Problem('alert_delay_unusable', '--delay takes a number of minutes from 5 to 1440', { exitCode: 2 })
}

const log: Command = {
  name: 'log',
  summary: 'the last alerts: what, to whom, and what the receiver answered',
  options: [...orgOrOperator, json],
  examples: [
    'npx drift-segment-source alerts log --org 12345',
    'npx drift-segment-source alerts log --operator --json',
  ],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = whoseOf(given)
      const messages = (await store.storage.alerts.list(id, 100)).map(shownMessage)
      if (given.json) return context.print(JSON.stringify(messages, undefined, 2))
      if (messages.length === 0) return context.print('no alerts yet')
      for (const { at, channel, recipient: id, says, became, nextAt } of messages) {
        const next = nextAt === undefined ? '' : `; next attempt at ${nextAt}`
        context.print(`${at}  ${channelName(channel)} ${id}  ${says}: ${became}${next}`.replace(/ {3}/, '  '))
      }
    }),
}

export const alerts: Command = {
  name: 'alerts',
  summary: 'alerts of an account, or to the operator: recipients, rules, tests, and the log',
  examples: [],
  commands: [list, add, remove, test, rules, log],
}
