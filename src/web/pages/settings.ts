/** Settings: where the events go, which of them, whether at all; and who is signed in. */
import { html } from 'hono/html'
import type { Left } from '../../accounts/disconnect.ts'
import { canResume } from '../../accounts/retry.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { holdOf, leaving, stateShown } from '../../accounts/state.ts'
import type { KeyShown } from '../../accounts/write-key.ts'
import type { Region } from '../../segment/region.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Session } from '../session.ts'
import { actionsRow, resume } from './actions.ts'
import { type KeyQuestion, keyQuestion } from './key-question.ts'
import { type Html, page } from './layout.ts'
import { badge, button, choice, head, input, type Level, notice, postForm, select, when } from './parts.ts'

export interface SettingsPage {
  session: Session
  install: Install
  /** The types of the catalogue, with when Drift sends them. */
  events: readonly { type: string; when: string }[]
  /** What may be shown of the write key. */
  key: KeyShown | undefined
  /** The environment rules the write key, region and grant: single-account mode. */
  isFixed: boolean
  /** Whether an admin can connect it in the browser. */
  connects: boolean
  done?: string | undefined
  wrong?: { writeKey?: string; confirm?: string } | undefined
  /** Takes the place of the form for the write key and region; `region` is the one that was chosen in it. */
  question?: (KeyQuestion & { region: Region }) | undefined
  /** Somebody else was quicker: what is shown is what is there now. */
  isStale?: boolean
  /** It was not resumed: Drift is being asked whether the account has disconnected. */
  isAsked?: boolean
}

export const stateWords: Readonly<Record<Install['state'], readonly [word: string, level: Level]>> = {
  live: ['Live', 'good'],
  waiting_for_key: ['Waiting for the write key', 'warn'],
  paused: ['Paused', 'warn'],
  needs_attention: ['Needs attention', 'bad'],
  disconnected: ['Disconnected', 'bad'],
}

export function settingsPage(given: SettingsPage): Html {
  const { session, install, done, isStale, isAsked } = given
  const [word, level] = stateWords[stateShown(install)]
  const isGone = install.state === 'disconnected'
  return page({
    title: 'Settings',
    section: 'settings',
    session,
    body: html`${head('Settings', `Of Drift account ${install.org}, connected since ${new Date(install.createdAt).toISOString().slice(0, 10)}.`, badge(level, word, 'big'))}
    <div class="stack">
      ${done ? notice('good', done) : ''}
      ${isStale ? notice('bad', 'Somebody else changed the settings meanwhile', 'Nothing of yours was saved. Below is what is there now; make your change again if it is still right.') : ''}
      ${isAsked ? notice('warn', 'Not resumed: Drift said that this account disconnected', 'Drift is being asked whether that is so. Sending goes on by itself when it is not; without an answer for a day you can resume it here.') : ''}
      ${isGone ? gone(given) : html`${install.unreadable ? '' : html`${segment(given)}${events(given)}`}${sending(given)}${sessions(given)}${leave(given)}`}
    </div>`,
  })
}

function gone({ connects }: SettingsPage): Html {
  const goOn = connects ? 'Connect it again to go on.' : 'Only the people who run this service can connect it again.'
  return notice(
    'warn',
    'This account is disconnected',
    `Its secrets and the bodies of its events are erased. ${goOn}`,
    connects ? html`<a class="button primary" href="/connect">Connect to Drift</a>` : '',
  )
}

/** After it left, in the place of the console. */
export function leftPage(left: Left['is'], isGone: boolean): Html {
  const atDrift = {
    revoked: 'Drift has ended the grant.',
    no_grant:
      'No grant was kept, so nothing was ended at Drift: if the app is still connected there, remove it in Drift’s settings.',
    unrevoked: 'Drift did not confirm that the grant has ended: remove the app in Drift’s settings too.',
  }
  const rest = isGone
    ? ''
    : html`<p>Unused parts of the store’s files may still hold sealed copies of it. The operator can remove them: please
        mention <code>erase_pending</code>.</p>`
  return page({
    title: 'Disconnected',
    body: html`<h1>Disconnected</h1>
      <p>The account’s secrets and every event that was kept are erased. ${atDrift[left]}</p>
      ${rest}
      <p><a class="button" href="/console">Sign in again</a></p>`,
  })
}

function segment({ session, install, key, isFixed, wrong, question }: SettingsPage): Html {
  const regions = [
    ['us', 'United States (api.segment.io)'],
    ['eu', 'European Union (events.eu1.segmentapis.com)'],
  ] as const
  const saved = key?.set ? html`${when(key.set.at)}, by ${key.set.by}` : 'by the settings or the command line'
  return html`<section class="card" id="segment"><h2>Segment</h2>
    <dl class="pairs">
      <dt>Write key</dt><dd>${key ? html`saved; its fingerprint is <code>${key.fingerprint}</code>` : 'none yet'}</dd>
      ${key ? html`<dt>Saved</dt><dd>${saved}</dd>` : ''}
      <dt>Region</dt><dd>${regions.find(([region]) => region === settingsOf(install).region)![1]}</dd>
    </dl>
    ${
      isFixed
        ? notice(
            'info',
            'The environment rules here',
            'This service runs for one account: SEGMENT_WRITE_KEY and SEGMENT_REGION are read at each start.',
          )
        : question
          ? keyQuestion(question, {
              action: '/console/settings/segment',
              csrf: session.csrf,
              fields: { region: question.region, generation: String(install.generation) },
              back: '/console/settings#segment',
            })
          : html`<details${wrong?.writeKey || !key ? html` open` : ''}><summary>${key ? 'Change the write key or the region' : 'Save the write key'}</summary>
        ${postForm(
          '/console/settings/segment',
          session.csrf,
          html`<input type="hidden" name="generation" value="${install.generation}">
          ${input('writeKey', 'Write key', {
            type: 'password',
            hint: `In Segment: Sources → your source → Settings → API Keys.${key ? ' Leave it empty to keep the one that is saved.' : ''} It is sealed, and never shown again.`,
            error: wrong?.writeKey ?? '',
          })}
          ${select('region', 'Where the Segment workspace is', regions, settingsOf(install).region)}
          <p class="hint">Segment answers 200 to wrong keys too. <a href="/connect/write-key">Try a key out</a> before you save it, or look for the next events in the source's Debugger.</p>
          <div class="row">${button('Save', 'primary')}</div>`,
          'stack narrow',
        )}</details>`
    }
  </section>`
}

function events({ session, install, events: all }: SettingsPage): Html {
  return html`<section class="card" id="events"><h2>Events that are sent</h2>
    <p class="faint">What is switched off is answered 200, counted as ignored, and not kept.</p>
    ${postForm(
      '/console/settings/events',
      session.csrf,
      html`<input type="hidden" name="generation" value="${install.generation}">
      <fieldset class="columns"><legend class="hidden">Events that are sent</legend>
        ${all.map(({ type, when }) => choice('checkbox', 'on', type, !settingsOf(install).offTypes.includes(type), type, when))}
      </fieldset>
      <div class="row">${button('Save', 'primary')}</div>`,
      'stack',
    )}
  </section>`
}

function sending({ session, install }: SettingsPage): Html {
  const isAsked = install.reason === leaving
  const hold = holdOf(install)
  const isOperators = hold === 'not_allowed' || hold === 'settings_unreadable'
  const isPaused = stateShown(install) === 'paused'
  const needsKey = stateShown(install) === 'waiting_for_key'
  const pause = postForm('/console/pause', session.csrf, button('Pause'))
  const form = html`${isPaused ? '' : pause}${canResume(install) ? actionsRow([resume], session.csrf) : ''}`
  return html`<section class="card" id="sending"><div class="cardhead"><div><h2>${isPaused ? 'Sending is paused' : 'Sending'}</h2>
    <p class="faint">${
      isAsked
        ? 'Drift said that this account disconnected, and is asked whether that is so. Events are received and kept until it answers.'
        : hold === 'settings_unreadable'
          ? 'Another version of this service saved the settings of this account, and this one cannot read them. Events are received and kept, and sent when the people who run the service start a version that can.'
          : hold === 'not_allowed'
            ? 'The people who run this service do not list this account among those that may use it. Events are received and kept, and sent when they list it.'
            : isPaused
              ? 'Events are received and kept. Resume to send them, in order.'
              : needsKey
                ? 'Events are received and kept until the write key is saved.'
                : 'While paused, events are received and kept; nothing is lost.'
    }</p></div>${needsKey || isAsked || isOperators ? '' : form}</div></section>`
}

function sessions({ session }: SettingsPage): Html {
  return html`<section class="card" id="sessions"><div class="cardhead"><div><h2>Sessions</h2>
    <p class="faint">If a browser or a sign-in link may be in the wrong hands: end every session of this account, this one too, and every link that was not used. Nothing else changes.</p></div>${postForm('/console/sign-out-everywhere', session.csrf, button('Sign out everywhere'))}</div></section>`
}

function leave({ session, install, isFixed, wrong }: SettingsPage): Html {
  return html`<section class="card danger" id="disconnect"><h2>Disconnect</h2>
    <p class="faint">Drift is told that this service has no more business with the account. The write key, the grant, and every event that is kept are erased at once, those that wait too. The counts stay. This cannot be undone.</p>
    ${isFixed ? html`<p class="faint">In single-account mode the environment installs the account again at the next start: take DRIFT_ORG_ID out of it first.</p>` : ''}
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
