/** What a browser is shown that came back from Drift and is not connected, and why. */
import { html } from 'hono/html'
import type { Unfinished } from '../../accounts/connect-finish.ts'
import { type Html, page } from '../console/ui/layout.ts'
import { signedIn } from '../console/ui/signed-in.ts'

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
  'The operator of this service lists the Drift accounts that may use it, and this one is not among them.'
const askOperator = 'Ask the operator to add the account.'
/** What each page says; docs/connect.md has every title. */
export const failures: Readonly<Record<ConnectFailure, readonly [title: string, text: string]>> = {
  foreign: [
    'This did not begin in this browser',
    `What Drift sent back belongs to an install that was begun elsewhere, or too long ago. ${again}`,
  ],
  expired: ['This took too long', `An install must be finished within ten minutes. ${again}`],
  used: [
    'This was already used',
    'Drift’s answer works once, and it was used before: this page was loaded twice, or you went back to it.',
  ],
  busy: ['Too many installs at this moment', 'Wait a few seconds, then reload this page. Nothing is lost.'],
  unasked: ['Nothing was done', 'This address is for a browser that comes back from Drift.'],
  denied: ['The app was not allowed', 'Drift says that you did not allow the app, so nothing was connected.'],
  incomplete: ['Drift sent no code', `Without it nothing can be connected. ${again}`],
  unusable: ['Drift’s answer cannot be read', `Nothing was done with it. ${again}`],
  unsolicited: [
    'Continue installing',
    'You came from Drift, and the install did not begin in this browser. To be sure that it is yours, begin it here.',
  ],
  code: ['Drift does not know this code', `It is good for a short time only. ${again}`],
  client: [
    'Drift does not know this app',
    'Drift refuses the app’s id or secret. Contact the operator of this service, mention drift_invalid_client.',
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
      ${session ? html`<a class="button primary" href="/console">Open the console</a>` : ''}
      <a class="button${session ? '' : ' primary'}" href="${startUrl}">${start}</a>
      ${session ? '' : html`<a class="button" href="/console">Open the console</a>`}
    </div></section>`
  return page({ title, body })
}

export function noOauthPage(): Html {
  const body = html`<section class="card"><h1>Accounts cannot be connected here</h1>
    <p>This service runs for one account, which its settings name. Only its operator can let other accounts connect.</p>
    <p><a class="button" href="/console">Open the console</a></p></section>`
  return page({ title: 'Not available', body })
}
