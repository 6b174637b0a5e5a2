/** The cards of Connection that are of the account as a whole: Drift, the events to send, sending, sessions, and the way out. */
import { html } from 'hono/html'
import { type Destination, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { canResume, canRetry } from '../../accounts/retry.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { holdOf, leaving, reasonOf, stateShown } from '../../accounts/state.ts'
import { judgeScopes, scopesNeeded } from '../../drift/scopes.ts'
import { catalogue } from '../../events/index.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { type DestinationCard, isAlone } from './destination-card.ts'
import { flowOf } from './destination-flow.ts'
import type { DestinationShown } from './destination-summary.ts'
import type { Done } from './done.ts'
import { todoOf } from './remedies.ts'
import { statusOf } from './status.ts'
import type { Facts } from './status-facts.ts'
import { actionOf, actionsRow, reconnect, resume, retry } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { button, choice, counted, input, notice, postForm, when } from './ui/parts.ts'

export interface ConnectionPage
  extends Pick<DestinationCard, 'session' | 'install' | 'facts' | 'places' | 'tested' | 'question'> {
  /** All of them, in the order of their numbers. */
  destinations: readonly DestinationShown[]
  /** Of the authorization at Drift; undefined where Drift did not say. */
  scopes: readonly string[] | undefined
  done?: readonly Done[]
  wrong?: { writeKey?: string; confirm?: string } | undefined
  /** Another person or process was quicker: what is shown is what is there now. */
  isStale?: boolean
}

export function goneNotice({ facts: { connects } }: ConnectionPage): Html {
  const goOn = connects
    ? 'Reconnect to Drift to start again.'
    : 'Only the operator of this service can connect it again.'
  return notice(
    'warn',
    'This account is disconnected',
    `Its secrets and its stored events are erased. ${goOn}`,
    connects ? actionOf(reconnect, '', 'primary') : '',
  )
}

export function driftCard({ install, scopes, facts }: ConnectionPage): Html {
  const { connects, lookingUp, oldestLookupAt } = facts
  const { missing, needless } = judgeScopes(scopes ?? Object.keys(scopesNeeded))
  const lacks = notice(
    'warn',
    `The Drift app lacks a permission: ${missing.join(', ')}`,
    `Without it, ${missing.map((scope) => scopesNeeded[scope]).join('; ')}. The operator adds it to the app in Drift; then reconnect to Drift.`,
  )
  return html`<section class="card" id="drift">
    <div class="cardhead"><h2>Drift</h2>${connects ? actionOf(reconnect, '') : ''}</div>
    <dl class="pairs">
      <dt>Account</dt><dd>${install.org}</dd>
      <dt>Connected</dt><dd>${install.createdAt === 0 ? 'by the operator of this service' : html`first on ${when(install.createdAt)}`}</dd>
      <dt>Permissions</dt><dd>${scopes === undefined ? 'Drift did not name them' : scopes.join(', ')}</dd>
      ${lookingUp === 0 ? '' : html`<dt>Waits</dt><dd>${counted(lookingUp, 'event')} to be looked up${oldestLookupAt === undefined ? '' : html`, since ${when(oldestLookupAt)}`}</dd>`}
    </dl>
    ${missing.length > 0 ? lacks : ''}
    ${needless.length > 0 ? html`<p class="small faint">The app does not need: ${needless.join(', ')}. The operator can take this away in Drift.</p>` : ''}
  </section>`
}

export function eventsCard({ session, install }: ConnectionPage): Html {
  const { offTypes } = settingsOf(install)
  const types = [...catalogue.values()]
  return html`<section class="card" id="events"><h2>Events to send</h2>
    <p class="faint">Disabled events are not sent anywhere and not stored, so they cannot be resent later. To keep events and not send them to a destination, untick them under <a href="/console/mapping#types">What is sent</a>.</p>
    ${postForm(
      '/console/connection/events',
      session.csrf,
      html`<input type="hidden" name="generation" value="${install.generation}">
      <fieldset class="columns"><legend class="hidden">Events to send</legend>
        ${types.map(({ type, when }) => choice('checkbox', 'on', type, !offTypes.includes(type), type, when))}
      </fieldset>
      <div class="row">${button('Save events', 'primary')}</div>`,
      'stack',
    )}
  </section>`
}

/** Each button only where it does something. */
export function sendingCard(given: ConnectionPage): Html {
  const { session, install, facts, destinations } = given
  const { lanes, now, connects } = facts
  const hold = holdOf(install)
  const isHeldByOthers = hold === 'not_allowed' || hold === 'settings_unreadable' || hold === leaving
  const shown = stateShown(install)
  const all = isAlone(install) ? '' : ' all'
  const pause =
    shown === 'paused' || shown === 'waiting_for_key' || isHeldByOthers
      ? ''
      : postForm('/console/pause', session.csrf, button(`Pause${all}`))
  const others = [
    ...(canResume(install) ? [{ ...resume, label: `Resume${all}` }] : []),
    ...(canRetry(install, lanes, now) ? [retry] : []),
  ]
  const refusal = isAlone(install) ? reasonOf(install) : install.reason
  const reason = hold ?? (install.state === 'needs_attention' ? refusal : undefined)
  const [first] = destinations
  const endpoint = isAlone(install) ? firstOf(install).endpoint : undefined
  const rights = { connects, isFixed: first?.isFixed === true }
  const says =
    reason === undefined
      ? flowSaid(facts, install)
      : `${adviceAt(reason, endpoint).happened} ${todoOf(reason, rights, endpoint)}`
  return html`<section class="card" id="sending"><div class="cardhead"><div><h2>${shown === 'paused' ? 'Sending is paused' : 'Sending'}</h2>
    <p class="faint">${says}</p></div><div class="row">${pause}${actionsRow(others, session.csrf)}</div></div></section>`
}

/** What neither the account nor its destinations hold back, as Home says it; of several, what halts one stands on its card. */
function flowSaid(facts: Facts, install: Install): Html | string {
  const isHalted = (one: Destination) => !['sending', 'off'].includes(flowOf(facts, one).is)
  const { word, title, says, since } = statusOf(facts)
  const isFlowing = word !== 'Delayed' && word !== 'Stopped'
  const whilePaused = 'While paused, events are received and kept; nothing is lost.'
  if (!isAlone(install) && (isFlowing || destinationsOf(install).some(isHalted)))
    return `What is sent to each destination stands above. ${whilePaused}`
  if (isFlowing) return `Events are sent as they come. ${whilePaused}`
  return html`${title}${since === undefined ? '' : html`, since ${when(since)}`}. ${says}`
}

export function sessionsCard({ session }: ConnectionPage): Html {
  return html`<section class="card" id="sessions"><div class="cardhead"><div><h2>Sessions</h2>
    <p class="faint">Ends every session of this account, this one too, and every sign-in link that was not used. Nothing else changes.</p></div>${postForm('/console/sign-out-everywhere', session.csrf, button('Sign out everywhere'))}</div></section>`
}

export function leaveCard({ session, install, destinations, wrong }: ConnectionPage): Html {
  const isFixed = destinations.some((one) => one.isFixed)
  const keys = isAlone(install)
    ? 'The write key and every stored event are'
    : 'The write keys and every stored event are'
  return html`<section class="card danger" id="disconnect"><h2>Disconnect</h2>
    <p class="faint">Ends the authorization at Drift. ${keys} erased at once, also those that were not sent yet. The counts stay. This cannot be undone.</p>
    ${isFixed ? html`<p class="faint">The operator’s settings install the account again at the next start: ask the operator to take it out of them first.</p>` : ''}
    <details${wrong?.confirm ? html` open` : ''}><summary>Disconnect this account…</summary>
    ${postForm(
      '/console/disconnect',
      session.csrf,
      html`${input('confirm', `To confirm, type the account number: ${install.org}`, { error: wrong?.confirm ?? '' })}
      <div class="row">${button('Disconnect and erase', 'danger')}</div>`,
      'stack narrow',
    )}</details>
  </section>`
}
