/** Alerts: where they go, which there are, a test, and the log of what was sent with the answers. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { chooseAlerts } from '../../accounts/actions.ts'
import { destinationsOf } from '../../accounts/destinations.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { isThere } from '../../accounts/state.ts'
import { partnerOf } from '../../alerts/audience.ts'
import { channelName, type MessageShown, shownMessage, whatBecame } from '../../alerts/log.ts'
import {
  type Added,
  addRecipient,
  afterTest,
  channels,
  listRecipients,
  mailsMax,
  type RecipientShown,
  recipientsMax,
  removeRecipient,
  testRecipient,
} from '../../alerts/recipients.ts'
import { ruleNames } from '../../alerts/rules.ts'
import { words } from '../../alerts/words.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Channel } from '../../storage/ports/alerts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { type Html, page } from './ui/layout.ts'
import { badge, button, choice, head, input, notice, postForm, select, since, when } from './ui/parts.ts'
import { sections } from './ui/sections.ts'
import type { Level } from './ui/vocabulary.ts'

const { path } = sections.alerts
/** Of the log; the command line shows as many. */
const messagesMax = 100

interface Shown {
  done?: string | undefined
  /** Of the form for a recipient; of what was filled in the address is not repeated: it is a secret. */
  wrong?: { says: string; channel: Channel }
  /** Of the form for the rules, with what was filled in. */
  wrongRules?: { says: string; on: readonly string[]; delay: string }
  /** The secret of a recipient that was just added: shown now, and never again. */
  secret?: string | undefined
  tested?: { level: Level; text: string } | undefined
  isStale?: boolean
}

interface AlertsPage extends Shown {
  session: Session
  install: Install
  recipients: readonly RecipientShown[]
  messages: readonly MessageShown[]
  canMail: boolean
  now: number
}

const done: ReadonlyMap<string, string> = new Map([
  ['added', 'Added. Alerts go there from now on.'],
  ['mail', 'Added. A mail with a link is being sent: alerts go there once its owner has confirmed it.'],
  ['removed', 'Removed. Nothing more is sent there.'],
  ['rules', 'Saved.'],
])

export function alertsRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, keyring, accounts, clock, random, closing } = needs
  const alerts = { storage, keyring, accounts, clock, random, ...needs.alerts }

  async function show(c: Context<Web>, shown: Shown = {}, status: 200 | 409 | 422 = 200) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    if (!install || !isThere(install)) return refuse(c, 404, 'not_found')
    const recipients = await listRecipients(alerts, session.org)
    const messages = (await storage.alerts.list(session.org, messagesMax)).map(shownMessage)
    const { canMail } = needs.alerts
    return c.html(alertsPage({ session, install, recipients, messages, canMail, now: clock.now(), ...shown }), status)
  }

  app.get(path, async (c) => {
    const tested = await storage.alerts.get(c.req.query('tested') ?? '')
    const isOurs = tested?.org === c.get('session').org && tested.kind === 'test'
    return show(c, {
      done: done.get(c.req.query('done') ?? ''),
      ...(isOurs ? { tested: outcomeOf(tested) } : {}),
    })
  })

  app.post(`${path}/add`, async (c) => {
    const { channel: chosen, address } = await formOf(c, ['channel', 'address'])
    const channel = channels.find((one) => one === chosen)
    if (!channel) return refuse(c, 400, 'form_unusable')
    const { org, who } = c.get('session')
    const added = await addRecipient(alerts, org, { channel, address, who })
    if (added.is !== 'added') return show(c, { wrong: { says: `Not added: ${whyNot(added, channel)}.`, channel } }, 422)
    if (added.secret === undefined) return c.redirect(`${path}?done=${channel === 'email' ? 'mail' : 'added'}`, 303)
    return show(c, { done: done.get('added'), secret: added.secret })
  })

  app.post(`${path}/remove`, async (c) => {
    const { recipient } = await formOf(c, ['recipient'])
    const { org, who } = c.get('session')
    await removeRecipient(alerts, org, recipient, who)
    return c.redirect(`${path}?done=removed`, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    const { recipient } = await formOf(c, ['recipient'])
    const { org, who } = c.get('session')
    const asked = await testRecipient(alerts, org, recipient, who)
    if (asked.is !== 'asked') return show(c, { tested: { level: 'warn', text: notTested[asked.is] } }, 409)
    await afterTest(alerts, asked.message, { signal: closing })
    return c.redirect(`${path}?tested=${asked.message}`, 303)
  })

  app.post(`${path}/rules`, async (c) => {
    const { on, delay, generation } = await formOf(c, ['delay', 'generation'], ['on'])
    const { org, who } = c.get('session')
    const alertDelayMinutes = /^\d{1,4}$/.test(delay.trim()) ? Number(delay) : 0
    if (alertDelayMinutes < 5 || alertDelayMinutes > 1_440)
      return show(c, { wrongRules: { says: 'Not saved: give a number of minutes from 5 to 1440.', on, delay } }, 422)
    const alertsOff = ruleNames.filter((rule) => !on.includes(rule))
    if (!(await chooseAlerts(alerts, org, { alertsOff, alertDelayMinutes, generation, who })))
      return show(c, { isStale: true }, 409)
    return c.redirect(`${path}?done=rules`, 303)
  })
}

const notTested = {
  gone: 'Nothing was sent: this recipient was removed.',
  unconfirmed: 'Nothing was sent: the owner of this address has not confirmed yet that alerts are wanted there.',
  too_soon: 'Nothing was sent: there was a test within the last minute. Try again in a minute.',
} as const

function whyNot(added: Exclude<Added, { is: 'added' }>, channel: Channel): string {
  switch (added.is) {
    case 'refused':
      return `the address ${added.why}`
    case 'full':
      return `an account has at most ${recipientsMax} recipients, ${mailsMax} of them by e-mail; remove one first`
    case 'there':
      return channel === 'webhook'
        ? 'alerts go to this address already; for another secret, add it with ?2 behind it, and remove the old one then'
        : 'alerts go to this address already'
    case 'no_mail':
      return 'this service sends no mail; contact the operator, mention alert_mail_off'
    case 'gone':
      return 'this account is not connected any more'
  }
}

function outcomeOf(message: Parameters<typeof whatBecame>[0]): { level: Level; text: string } {
  if (message.end === undefined)
    return { level: 'info', text: 'The receiver has not answered yet. Reload this page, or look at the log below.' }
  const text = whatBecame(message)
  return { level: message.end === 'sent' ? 'good' : 'bad', text: `Test: ${text}.` }
}

function alertsPage(given: AlertsPage): Html {
  const { session, install, done, secret, tested, isStale } = given
  return page({
    title: 'Alerts',
    section: 'alerts',
    session,
    body: html`${head('Alerts', `Get a message when events of this account do not reach ${partnerOf(destinationsOf(install), '') ?? 'Segment'}, and another when they do again.`)}
    <div class="stack">
      ${done ? notice('good', done) : ''}
      ${tested ? notice(tested.level, tested.text) : ''}
      ${isStale ? notice('bad', 'The settings were changed meanwhile', 'Your change was not saved. Below is what is saved now; make your change again if it is still right.') : ''}
      ${secret ? secretShown(secret) : ''}
      ${recipientsCard(given)}${addCard(given)}${rulesCard(given)}${logCard(given)}
    </div>`,
  })
}

function secretShown(secret: string): Html {
  const text = html`<p>Every alert is signed with it, as Standard Webhooks says. Copy it to the receiver now: it is not shown again.</p>
    <p><code>${secret}</code></p>`
  return notice('info', 'The signing secret of this webhook', text)
}

function recipientsCard({ session, recipients, now }: AlertsPage): Html {
  if (recipients.length === 0) return html``
  return html`<section class="card sheet" aria-labelledby="recipients-title">
    <div class="cardhead inside"><div><h2 id="recipients-title">Where alerts go</h2></div></div>
    <table class="cards"><thead><tr><th scope="col">Address</th><th scope="col">Channel</th><th scope="col">State</th><th scope="col">Added</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${recipients.map((one) => recipientRow(one, session, now))}</tbody></table>
  </section>`
}

function recipientRow(
  { id, channel, address, isConfirmed, createdAt }: RecipientShown,
  session: Session,
  now: number,
): Html {
  const shown = address ?? 'Cannot be read: remove it and add it again'
  const form = (action: string, label: string) =>
    postForm(
      `${path}/${action}`,
      session.csrf,
      html`<input type="hidden" name="recipient" value="${id}"><button class="small">${label}<span class="hidden">: ${shown}</span></button>`,
    )
  return html`<tr>
    <th scope="row">${shown}</th>
    <td data-label="Channel">${channelName(channel)}</td>
    <td data-label="State">${isConfirmed ? badge('good', 'Active') : badge('warn', 'Not confirmed')}</td>
    <td data-label="Added">${since(createdAt, now)}</td>
    <td><div class="row">${isConfirmed ? form('test', 'Send test') : ''}${form('remove', 'Remove')}</div></td>
  </tr>`
}

function addCard({ session, recipients, canMail, wrong }: AlertsPage): Html {
  const options = [
    ['webhook', 'Webhook (JSON, signed)'],
    ['slack', 'Slack (incoming webhook)'],
    ...(canMail ? [['email', 'E-mail'] as const] : []),
  ] as const satisfies readonly (readonly [Channel, string])[]
  const mail = canMail
    ? 'To an e-mail address a link goes first: alerts are sent once its owner has confirmed it.'
    : 'This service sends no e-mail.'
  return html`<section class="card" id="add"><h2>${recipients.length === 0 ? 'Alerts go nowhere yet' : 'Add a recipient'}</h2>
    ${recipients.length === 0 ? html`<p class="faint">Add a recipient, and every alert below is sent there.</p>` : ''}
    ${postForm(
      `${path}/add`,
      session.csrf,
      html`${select('channel', 'Channel', options, wrong?.channel)}
      ${input('address', 'Address', {
        hint: `Of a webhook or of Slack: it begins with https:// and leads to the public internet. It is sealed, and shown by its host and last characters alone. ${mail}`,
        error: wrong?.says ?? '',
        lengthMax: 2_048,
      })}
      <div class="row">${button('Add recipient', 'primary')}</div>`,
      'stack narrow',
    )}
  </section>`
}

function rulesCard({ session, install, wrongRules }: AlertsPage): Html {
  const { alertsOff, alertDelayMinutes } = settingsOf(install)
  const isOn = (rule: string) => wrongRules?.on.includes(rule) ?? !alertsOff.some((off) => off === rule)
  const delay = wrongRules?.delay ?? String(alertDelayMinutes)
  return html`<section class="card" id="rules"><h2>What there is an alert for</h2>
    <p class="faint">Each is sent once, at most once an hour for the same thing, and once more when it is over.</p>
    ${postForm(
      `${path}/rules`,
      session.csrf,
      html`<input type="hidden" name="generation" value="${install.generation}">
      <fieldset class="columns"><legend class="hidden">Alerts that are sent</legend>
        ${ruleNames.map((rule) => choice('checkbox', 'on', rule, isOn(rule), words[rule].name, words[rule].when))}
      </fieldset>
      <div class="narrow">${input('delay', 'Events are delayed after this many minutes', { value: delay, error: wrongRules?.says ?? '' })}</div>
      <div class="row">${button('Save', 'primary')}</div>`,
      'stack',
    )}
  </section>`
}

const ends: Readonly<Record<MessageShown['end'] & string, readonly [Level, string]>> = {
  waiting: ['info', 'Queued'],
  sent: ['good', 'Accepted'],
  failed: ['bad', 'Failed'],
  removed: ['idle', 'Not sent'],
}

function logCard({ messages, recipients }: AlertsPage): Html {
  if (messages.length === 0)
    return html`<section class="card"><h2>Sent alerts</h2><p class="faint">None yet.</p></section>`
  const addresses = new Map(recipients.map(({ id, address }) => [id, address]))
  const row = ({ at, channel, recipient, says, became, nextAt, end }: MessageShown) => {
    const [level, word] = ends[end ?? 'waiting']
    const address = addresses.get(recipient)
    return html`<tr>
    <th scope="row">${when(Date.parse(at))}</th>
    <td data-label="To">${channelName(channel)} <span class="under">${address ?? 'removed'}</span></td>
    <td data-label="Message">${sentence(says)}</td>
    <td data-label="Answer">${badge(level, word)} <span class="under">${sentence(became)}.${nextAt === undefined ? '' : html` Next attempt ${when(Date.parse(nextAt))}.`}</span></td>
  </tr>`
  }
  return html`<section class="card sheet" aria-labelledby="log-title">
    <div class="cardhead inside"><div><h2 id="log-title">Sent alerts</h2><p class="small faint">Of the last 30 days, at most ${messagesMax}.</p></div></div>
    <table class="cards"><thead><tr><th scope="col">Time</th><th scope="col">To</th><th scope="col">Message</th><th scope="col">Answer</th></tr></thead>
    <tbody>${messages.map(row)}</tbody></table>
  </section>`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
