/** Where an account's events go, as a card of Connection: the write key by its fingerprint, its test, and its replacement. */
import { html } from 'hono/html'
import type { KeyTested } from '../../accounts/change-key.ts'
import { firstOf } from '../../accounts/destinations.ts'
import { stateShown } from '../../accounts/state.ts'
import type { KeyShown } from '../../accounts/write-key.ts'
import type { Region } from '../../segment/region.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Session } from '../session.ts'
import { type HeldKey, type KeyQuestion, keyQuestion } from './ui/key-question.ts'
import type { Html } from './ui/layout.ts'
import { badge, button, input, notice, postForm, select, when } from './ui/parts.ts'
import { adviceOn } from './ui/reasons.ts'
import type { Level } from './ui/vocabulary.ts'

/** What came of a test just now. */
export interface Tested extends KeyTested {
  key: HeldKey
  region: Region
  /** It is the one that is saved, with this region. */
  isSaved: boolean
}

export interface DestinationCard {
  session: Session
  install: Install
  /** What may be shown of the write key. */
  key: KeyShown | undefined
  /** An admin has seen its test event in Segment. */
  isConfirmed: boolean
  /** The operator's settings rule the write key and region. */
  isFixed: boolean
  tested?: Tested | undefined
  wrong?: string | undefined
  /** Takes the place of the form; `region` is the one that was chosen in it. */
  question?: (KeyQuestion & { region: Region }) | undefined
}

export const regionNames: Readonly<Record<Region, string>> = { us: 'United States', eu: 'European Union' }

const stateWords: Readonly<Record<Install['state'], readonly [word: string, level: Level]>> = {
  live: ['Sending', 'good'],
  waiting_for_key: ['No write key', 'warn'],
  paused: ['Paused', 'warn'],
  needs_attention: ['Blocked', 'bad'],
  disconnected: ['Disconnected', 'bad'],
}

export function destinationCard(given: DestinationCard): Html {
  const { session, install, key, isConfirmed, isFixed, tested, question } = given
  const { region } = firstOf(install)
  const [word, level] = stateWords[stateShown(install)]
  const saved = key?.set ? html`${when(key.set.at)}, by ${key.set.by}` : 'by the operator of this service'
  return html`<section class="card" id="segment">
    <div class="cardhead"><h2>Segment</h2>${badge(level, word)}</div>
    <dl class="pairs">
      <dt>Write key</dt><dd>${key ? html`saved, fingerprint <code>${key.fingerprint}</code>` : 'none yet'}</dd>
      ${key ? html`<dt>Saved</dt><dd>${saved}</dd><dt>Test event</dt><dd>${isConfirmed ? 'seen in Segment, confirmed' : 'not confirmed yet'}</dd>` : ''}
      <dt>Region</dt><dd>${regionNames[region]}</dd>
    </dl>
    ${tested ? testResult(tested, given) : ''}
    ${question ? ask(question, given) : html`${key && !tested ? test(session, isConfirmed) : ''}${isFixed ? fixed : replace(given)}`}
  </section>`
}

const fixed = html`<p class="faint">The operator of this service has set the write key and the region, and can change them.</p>`

function test({ csrf }: Session, isConfirmed: boolean): Html {
  return html`<div class="row">${postForm('/console/connection/test', csrf, button('Send test event', isConfirmed ? '' : 'primary'))}
    <span class="small faint">Segment accepts events of wrong write keys too: only your look into the source proves that it is right.</span></div>`
}

function ask(question: KeyQuestion & { region: Region }, { session, install }: DestinationCard): Html {
  return keyQuestion(question, {
    action: '/console/connection/segment',
    csrf: session.csrf,
    fields: { region: question.region, generation: String(install.generation) },
    back: '/console/connection#segment',
  })
}

function replace({ session, install, key, tested, wrong }: DestinationCard): Html {
  const { region } = firstOf(install)
  const isOpen = wrong !== undefined || !key || (tested !== undefined && !tested.isSaved)
  return html`<details${isOpen ? html` open` : ''}><summary>${key ? 'Replace write key or change region' : 'Enter write key'}</summary>
    ${postForm(
      '/console/connection/segment',
      session.csrf,
      html`<input type="hidden" name="generation" value="${install.generation}">
      ${input('writeKey', 'Write key', {
        type: 'password',
        hint: `In Segment: Connections → Sources → your source → Settings → API Keys.${key ? ' Leave it empty to keep the saved one.' : ''} It is stored encrypted and never shown again.`,
        error: wrong ?? '',
      })}
      ${select('region', 'Region of the Segment workspace', Object.entries(regionNames), tested?.region ?? region)}
      <div class="row">${button('Save', 'primary')}<button formaction="/console/connection/test">Send test event</button></div>`,
      'stack narrow',
    )}</details>`
}

function testResult({ messageId, verdict, sign, key, region, isSaved }: Tested, given: DestinationCard): Html {
  const { session, install } = given
  const name = html`the write key with fingerprint <code>${key.fingerprint}</code>`
  if (verdict.is !== 'done') {
    const { happened, todo } = adviceOn(verdict.reason)
    return notice(
      'bad',
      'Segment did not accept the test event',
      html`<p>${happened} It was sent with ${name}. ${todo}</p>`,
    )
  }
  const signs = {
    known: 'Segment’s public settings know this write key.',
    unconfirmed: 'Segment’s public settings do not list this write key, as may be for a new source or one for servers.',
    unasked: '',
  }
  const save = (seen: '' | 'yes', label: string) =>
    postForm(
      '/console/connection/segment',
      session.csrf,
      html`<input type="hidden" name="chosen" value="${key.held}"><input type="hidden" name="region" value="${region}"><input type="hidden" name="generation" value="${install.generation}"><input type="hidden" name="seen" value="${seen}">${button(label, seen ? 'primary' : '')}`,
    )
  const confirm = isSaved
    ? postForm(
        '/console/connection/confirm',
        session.csrf,
        html`<input type="hidden" name="key" value="${key.held}">${button('I see it in Segment', 'primary')}`,
      )
    : html`<div class="row">${save('yes', 'I see it in Segment: save this key')}${save('', 'Save without confirming')}</div>`
  return notice(
    'info',
    'Segment accepted the test event. Is it in your source?',
    html`<p>In Segment, open the source, then Debugger, and look for <code>connection_test</code> with the message id <code>${messageId}</code>. It was sent with ${name} to the region ${regionNames[region]}. ${signs[sign]}</p>
    <p class="small">If it is not there after a minute, the write key or the region belongs to another source.</p>`,
    confirm,
  )
}
