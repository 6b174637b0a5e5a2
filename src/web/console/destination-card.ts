/** Where events of an account go, as a card: the write key by its fingerprint, its test, and its replacement. */
import { html } from 'hono/html'
import { type Destination, destinationState, destinationsOf } from '../../accounts/destinations.ts'
import { holdOf, stateShown } from '../../accounts/state.ts'
import type { KeyShown } from '../../accounts/write-key.ts'
import type { Place, Places } from '../../segment/place.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Session } from '../session.ts'
import { addPath, anchorOf, connectionPath, pageOf } from './destination-address.ts'
import { type Flow, flowOf, knownAt, nextOf } from './destination-flow.ts'
import { hidden, type Tested, testResult } from './key-test.ts'
import { partnerAt, placeField, placeValue, regionNames } from './place-field.ts'
import type { Facts } from './status-facts.ts'
import { type KeyQuestion, keyQuestion } from './ui/key-question.ts'
import type { Html } from './ui/layout.ts'
import { badge, button, counted, input, postForm, when } from './ui/parts.ts'
import type { Level } from './ui/vocabulary.ts'

export interface DestinationCard {
  session: Session
  install: Install
  /** Of the account, for whether events go to the destination as they come. */
  facts: Facts
  destination: Destination
  /** What the operator offers beside Segment. */
  places: Places
  /** What may be shown of the write key. */
  key: KeyShown | undefined
  /** An admin has seen its test event there. */
  isConfirmed: boolean
  /** The operator's settings rule the write key and region. */
  isFixed: boolean
  tested?: Tested | undefined
  wrong?: string | undefined
  /** It stands on Connection, alone: then a row leads on. */
  isOnConnection?: boolean
  /** It is refused for its write key or region: the form that replaces them stands open. */
  isRefused?: boolean
  /** Takes the place of the form; `place` is the one that was chosen in it. */
  question?: (KeyQuestion & { place: Place }) | undefined
}

export function isAlone(install: Install): boolean {
  return destinationsOf(install).length === 1
}

const stateWords: Readonly<Record<Install['state'], readonly [word: string, level: Level]>> = {
  live: ['Sending', 'good'],
  waiting_for_key: ['No write key', 'warn'],
  paused: ['Paused', 'warn'],
  needs_attention: ['Blocked', 'bad'],
  disconnected: ['Disconnected', 'bad'],
}

/** What a destination's state does not tell, though Home does. */
const flowWords: Readonly<Partial<Record<Flow['is'], readonly [word: string, level: Level]>>> = {
  refused: stateWords.needs_attention,
  late: ['Delayed', 'warn'],
  off: ['Stopped', 'warn'],
}

/** What the account's state leaves to a destination, and how it stands there: the only one's state is the account's. */
export function destinationBadge(install: Install, destination: Destination, { is }: Flow): Html {
  const ofAccount = stateShown(install)
  const isWhole = isAlone(install) || ofAccount === 'paused' || ofAccount === 'disconnected'
  const isUnlisted = holdOf(install, destination.number) === 'endpoint_not_allowed'
  const own = isUnlisted ? 'needs_attention' : destinationState(destination)
  const state = isWhole ? ofAccount : own
  const [word, level] = (state === 'live' ? flowWords[is] : undefined) ?? stateWords[state]
  return badge(level, word)
}

/** What waits for it, since when, and when the next attempt is made. */
function waits(facts: Facts, { number }: Destination, { lane }: Flow): string | Html {
  const { queued = 0, blocked = 0, oldestAt } = knownAt(facts, number) ?? {}
  const parts = [
    ...(queued > 0 ? [`${counted(queued, 'event')} queued`] : []),
    ...(blocked > 0 ? [`${counted(blocked, 'event')} blocked`] : []),
  ]
  if (parts.length === 0) return 'No events wait'
  const next = nextOf(lane, facts.now)
  return html`${parts.join(', ')}${oldestAt === undefined ? '' : html`, since ${when(oldestAt)}`}${next === undefined ? '' : html`; next attempt ${when(next)}`}`
}

/** Fingerprint, who saved it, whether its test was seen, where it sends, and what waits for it. */
export function destinationPairs(
  { destination, key, isConfirmed, facts }: Omit<DestinationCard, 'session'>,
  flow: Flow,
): Html {
  const saved = key?.set ? html`${when(key.set.at)}, by ${key.set.by}` : 'by the operator of this service'
  const seen = destination.endpoint === undefined ? 'seen in Segment, confirmed' : 'seen there, confirmed'
  return html`<dt>Write key</dt><dd>${key ? html`saved, fingerprint <code>${key.fingerprint}</code>` : 'none yet'}</dd>
      ${key ? html`<dt>Saved</dt><dd>${saved}</dd><dt>Test event</dt><dd>${isConfirmed ? seen : 'not confirmed yet'}</dd>` : ''}
      ${destination.endpoint === undefined ? html`<dt>Region</dt><dd>${regionNames[destination.region]}</dd>` : html`<dt>Sends to</dt><dd>${destination.endpoint}</dd>`}
      <dt>Waits</dt><dd>${waits(facts, destination, flow)}</dd>`
}

export function destinationCard(given: DestinationCard): Html {
  const { session, install, facts, destination, key, isConfirmed, isFixed, tested, question, isOnConnection } = given
  const { number, name } = destination
  const flow = flowOf(facts, destination)
  const saves = {
    csrf: session.csrf,
    action: `${connectionPath}/segment`,
    fields: { generation: String(install.generation), destination: String(number) },
    verb: { seen: 'save this key', unseen: 'Save without confirming' },
    confirm: `${connectionPath}/confirm`,
  }
  return html`<section class="card" id="${anchorOf(install, destination)}">
    <div class="cardhead"><h2>${name}</h2>${destinationBadge(install, destination, flow)}</div>
    <dl class="pairs">
      ${destinationPairs(given, flow)}
    </dl>
    ${tested ? testResult(tested, saves) : ''}
    ${question ? ask(question, given) : html`${key && !tested ? test(session, destination, isConfirmed) : ''}${isFixed ? fixed : replace(given)}`}
    ${isOnConnection && key ? html`<p class="small"><a href="${pageOf(destination)}">Rename</a> · <a href="${addPath}">Add another destination</a></p>` : ''}
  </section>`
}

export const fixed = html`<p class="faint">The operator of this service has set the write key and the region, and can change them.</p>`

function test(session: Session, destination: Destination, isConfirmed: boolean): Html {
  const proof =
    destination.endpoint === undefined
      ? 'Segment accepts events of wrong write keys too: only your look into the source proves that it is right.'
      : `Only your look at ${partnerAt(destination)} proves that it arrives.`
  return html`<div class="row">${testForm(session, destination, isConfirmed ? '' : 'primary')}
    <span class="small faint">${proof}</span></div>`
}

export function testForm({ csrf }: Session, { number }: Destination, kind = ''): Html {
  return postForm(
    `${connectionPath}/test`,
    csrf,
    html`${hidden({ destination: String(number) })}${button('Send test event', kind)}`,
  )
}

function ask(question: KeyQuestion & { place: Place }, { session, install, destination }: DestinationCard): Html {
  return keyQuestion(question, {
    action: `${connectionPath}/segment`,
    csrf: session.csrf,
    fields: {
      region: placeValue(question.place),
      generation: String(install.generation),
      destination: String(destination.number),
    },
    back: isAlone(install) ? `${connectionPath}#segment` : pageOf(destination),
  })
}

/** Where a key is found. */
export function keyHint(places: Places): string {
  const ofEndpoints = places.endpoints ? ' Of an endpoint: the one that those who run it gave you.' : ''
  return `In Segment: Connections → Sources → your source → Settings → API Keys.${ofEndpoints}`
}

function replace({ session, install, destination, places, key, tested, wrong, isRefused }: DestinationCard): Html {
  const isOpen = isRefused || wrong !== undefined || !key || (tested !== undefined && !tested.isSaved)
  const isSegmentAlone = destination.endpoint === undefined && !places.endpoints
  const change = isSegmentAlone ? 'Replace write key or change region' : 'Replace write key or change where it sends'
  return html`<details${isOpen ? html` open` : ''}><summary>${key ? change : 'Enter write key'}</summary>
    ${postForm(
      `${connectionPath}/segment`,
      session.csrf,
      html`${hidden({ generation: String(install.generation), destination: String(destination.number) })}
      ${input('writeKey', 'Write key', {
        type: 'password',
        hint: `${keyHint(places)}${key ? ' Leave it empty to keep the saved one.' : ''} It is stored encrypted and never shown again.`,
        error: wrong ?? '',
      })}
      ${placeField(places, tested?.place ?? destination)}
      <div class="row">${button('Save', 'primary')}<button formaction="${connectionPath}/test">Send test event</button></div>`,
      'stack narrow',
    )}</details>`
}
