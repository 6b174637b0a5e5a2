/** The pages of an install: what went wrong on the way to Drift and back, and the write key. */
import { html } from 'hono/html'
import type { KeyTested } from '../../accounts/change-key.ts'
import type { Unfinished } from '../../accounts/connect-finish.ts'
import type { KeyShown } from '../../accounts/write-key.ts'
import type { ScopesJudged } from '../../drift/scopes.ts'
import { scopesNeeded } from '../../drift/scopes.ts'
import { type HeldKey, type KeyQuestion, keyQuestion } from './key-question.ts'
import { type Html, page } from './layout.ts'
import { notFilledIn } from './parts.ts'
import { signedIn } from './sign-in.ts'

/** Why a browser that came back from Drift is not connected. */
export type ConnectFailure =
  | Unfinished
  | 'foreign'
  | 'expired'
  | 'used'
  | 'busy'
  | 'unasked'
  | 'denied'
  | 'incomplete'
  | 'unusable'
  | 'unsolicited'

const again = 'Start again; it takes a moment.'
const notAllowed = 'This account may not be connected here'
const listedElsewhere =
  'The people who run this service say which Drift accounts may use it, and this one is not among them.'
const askOperator = 'Ask them to add the account.'
const failures: Readonly<Record<ConnectFailure, readonly [title: string, text: string]>> = {
  foreign: [
    'This did not begin in this browser',
    `What Drift sent back belongs to an install that was begun elsewhere, or too long ago. ${again}`,
  ],
  expired: ['That took too long', `An install must be finished within ten minutes. ${again}`],
  used: [
    'This was used already',
    'Drift’s answer is good for one time, and it was used before: this page was loaded twice, or you went back to it.',
  ],
  busy: ['Too many installs at this moment', 'Wait a few seconds, then reload this page: nothing is lost.'],
  unasked: ['Nothing was done', 'This address is for a browser window that comes back from Drift.'],
  denied: ['You did not allow it', 'Drift says that the app was not allowed, so nothing was connected.'],
  incomplete: ['Drift sent no code', `Without it nothing can be connected. ${again}`],
  unusable: ['Drift’s answer cannot be read', `Nothing was done with it. ${again}`],
  unsolicited: [
    'Go on with the install',
    'You came from Drift, and this browser had not asked for it. So that nobody can connect you to an account of theirs, the install starts anew from here.',
  ],
  code: ['Drift does not know this code', `It is good for a short time only. ${again}`],
  client: [
    'Drift does not know this app',
    'DRIFT_CLIENT_ID or DRIFT_CLIENT_SECRET is wrong. Whoever runs this service must mend that; then start again.',
  ],
  grant: ['Drift does not know the token that it has just given', `Nothing was stored. ${again}`],
  account: [
    'Drift did not say whose account this is',
    `It named none, or two different ones. Nothing was stored. ${again}`,
  ],
  stranger: [
    'This grant is another app’s',
    'Drift says that it was given to an app that is not this one. Nothing was stored.',
  ],
  not_allowed: [
    notAllowed,
    `${listedElsewhere} Nothing was stored, and the app’s grant was ended at Drift. ${askOperator}`,
  ],
  not_ended: [
    notAllowed,
    `${listedElsewhere} Nothing was stored, but Drift did not confirm that the app’s grant has ended: remove the app in Drift’s settings. ${askOperator}`,
  ],
  not_allowed_any_more: [
    'This account may not be connected here any more',
    `${listedElsewhere} It was connected before: it is paused, and what Drift sends for it is kept. Nothing was changed. ${askOperator}`,
  ],
  unavailable: ['Drift does not answer as it should', 'Nothing was stored. Try again in a moment.'],
}

const onceMore = html`<p>Go through Drift once more: that signs you in if the account is connected, and connects it if it is not.</p>`

/** `session`: the one that this browser has all the same, as it does where the page is loaded again after an install. */
export function connectFailurePage(why: ConnectFailure, startUrl: string, session: { org: string } | undefined): Html {
  const [title, text] = failures[why]
  const start = { unsolicited: 'Continue installing', used: 'Continue with Drift' }[why as string] ?? 'Start again'
  const body = html`<section class="card"><h1>${title}</h1>
    <p>${text}</p>
    ${session ? signedIn(session.org) : why === 'used' ? onceMore : ''}
    <div class="row">
      ${session ? html`<a class="button primary" href="/console">To the console</a>` : ''}
      <a class="button${session ? '' : ' primary'}" href="${startUrl}">${start}</a>
      ${session ? '' : html`<a class="button" href="/console">To the console</a>`}
    </div></section>`
  return page({ title, body })
}

export function noOauthPage(): Html {
  const body = html`<section class="card"><h1>There is no app to connect with</h1>
    <p>This service runs for one account, which its settings name. To let other accounts connect, set DRIFT_CLIENT_ID and
      DRIFT_CLIENT_SECRET.</p>
    <p><a class="button" href="/console">To the console</a></p></section>`
  return page({ title: 'No app', body })
}

const path = '/connect/write-key'

export interface WriteKeyPage {
  session: { org: string; csrf: string }
  settingsUrl: string
  region: 'us' | 'eu'
  /** The key that is there already. */
  key: KeyShown | undefined
  /** What Drift lets the app do; undefined where it did not say. */
  scopes?: ScopesJudged | undefined
  problem?: string | undefined
  warning?: string | undefined
  /** Somebody else has changed the key since the form was loaded. */
  isStale?: boolean
  /** The key that was tested: it is saved when the field stays empty. */
  tested?: HeldKey | undefined
  /** What came of the test just now. */
  result?: KeyTested | undefined
  /** Takes the place of the form. */
  question?: (KeyQuestion & { replaces: string }) | undefined
}

export function writeKeyPage(given: WriteKeyPage): Html {
  const { session, settingsUrl, region, key, scopes, warning, isStale, result, question } = given
  const body = html`<div class="head"><div><h1>Where should the events go?</h1>
      <p>Drift account <strong>${session.org}</strong> is connected. ${key ? 'Its events go to the Segment source of the write key below.' : 'Its events are received and kept already; they are sent once the write key is saved.'}</p></div></div>
    <div class="stack">
    ${scopes ? scopeNotices(scopes) : ''}
    ${isStale ? said('bad', 'Somebody else has changed the write key meanwhile', 'Nothing of yours was saved. Below is what is there now; save again if yours is still right.') : ''}
    ${result ? testNotices(result, region) : ''}
    ${warning ? said('warn', 'An unusual write key', warning) : ''}
    <section class="card"><h2>Segment</h2>
      ${key ? present(key) : ''}
      ${question ? keyQuestion(question, { action: path, csrf: session.csrf, fields: { region, replaces: question.replaces }, back: path }) : form(given)}
    </section>
    <p><a href="${settingsUrl}">${key ? 'Keep this key and go back to Drift' : 'Later: go back to Drift'}</a></p>
    </div>`
  return page({ title: 'Write key', session, body })
}

function form({ session, region, key, problem, tested }: WriteKeyPage): Html {
  return html`<form method="post" action="${path}" class="stack narrow">
        <input type="hidden" name="csrf" value="${session.csrf}">
        <input type="hidden" name="replaces" value="${key?.fingerprint ?? 'none'}">
        ${tested ? html`<input type="hidden" name="tested" value="${tested.held}">` : ''}
        <div class="field">
          <label for="writeKey">Write key</label>
          <input id="writeKey" name="writeKey" type="password" maxlength="300" ${notFilledIn} spellcheck="false" aria-describedby="writeKey-hint${problem ? ' writeKey-error' : ''}"${problem ? html` aria-invalid="true"` : ''}>
          <span class="hint" id="writeKey-hint">${tested ? html`Leave it empty to save the key that you tested, <code>${tested.fingerprint}</code>.` : 'In Segment: Connections → Sources → your source → Settings → API Keys. A source of the type HTTP API or Node.js.'}</span>
          ${problem ? html`<span class="error" id="writeKey-error">${problem}</span>` : ''}
        </div>
        <fieldset><legend>Where the Segment workspace is</legend>
          ${regionChoice('us', 'United States', region)}${regionChoice('eu', 'European Union', region)}
        </fieldset>
        <div class="row"><button class="primary">Save</button><button formaction="${path}/test">Test</button></div>
        <p class="hint">Test sends one event, and tells you where in Segment to look for it. Segment accepts any key without saying whether it is right, so only your look there proves it.</p>
      </form>`
}

function regionChoice(value: string, label: string, chosen: string): Html {
  return html`<label class="choice"><input type="radio" name="region" value="${value}"${value === chosen ? html` checked` : ''}><span>${label}</span></label>`
}

function present({ fingerprint, set }: KeyShown): Html {
  const by = set
    ? html`, saved by ${set.by} on ${new Date(set.at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : ''
  return html`<p>There is a write key already (fingerprint <code>${fingerprint}</code>${by}). It stays until another one is saved.</p>`
}

function scopeNotices({ missing, needless }: ScopesJudged): Html {
  return html`${missing.map((scope) => said('warn', `The Drift app lacks ${scope}`, `${scopesNeeded[scope]}. Add it to the app at dev.drift.com, then connect again.`))}
    ${needless.length > 0 ? said('warn', 'The Drift app may do more than it needs', `Take away: ${needless.join(', ')}. What the app cannot do, nobody can do with its token; afterwards connect again.`) : ''}`
}

function testNotices({ messageId, verdict, sign }: KeyTested, region: string): Html {
  const looked = {
    known: [
      'good',
      'Segment’s public settings know this key',
      'So there is a source with it. Whether it is yours, the Debugger shows.',
    ],
    unconfirmed: [
      'info',
      'Segment’s public settings do not list this key',
      'That proves nothing: a new source, or one for servers only, may not be listed.',
    ],
    unasked: ['info', 'Segment’s public settings could not be asked', 'That says nothing about the key.'],
  } as const
  const [level, title, text] = looked[sign]
  const sent =
    verdict.is === 'done'
      ? said(
          'info',
          'A test event was sent, and Segment accepted it',
          html`It accepts events of wrong keys too, so look for it: in Segment open the source, then Debugger, and search for <code>${messageId}</code>. If it is not there after a minute, the key or the region (${region}) is another source’s.`,
        )
      : said(
          'bad',
          'Segment did not take the test event',
          `Its answer: ${verdict.reason}. Compare the key and the region (${region}) with the source.`,
        )
  return html`${sent}${said(level, title, text)}`
}

function said(level: string, title: string, text: string | Html): Html {
  return html`<div class="notice ${level}" role="status"><div><strong>${title}</strong>${text}</div></div>`
}
