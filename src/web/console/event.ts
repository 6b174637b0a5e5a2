/** One event: its state and why, what happened to it step by step, and what came in beside what went out. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { handleRequest, isOpenRequest } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { type Destination, destinationsOf } from '../../accounts/destinations.ts'
import { catalogue } from '../../events/index.ts'
import { openEntry, type Story, tell } from '../../operations/inspect.ts'
import { failed, movesOf, type RedriveNeeds, redrivable, redriveOne } from '../../operations/redrive.ts'
import { happenedTo } from '../../operations/timeline.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Beside, Shown } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { breakable } from './events.ts'
import { type Payload, payload } from './payload.ts'
import { addressOf } from './query.ts'
import { type Rights, remediesOf, todoOf } from './remedies.ts'
import { type Past, timeline } from './timeline.ts'
import { type Action, actionsRow } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import { type Html, page } from './ui/layout.ts'
import { mappingChoice } from './ui/mapping-choice.ts'
import { button, notice, postForm, stateBadge, when } from './ui/parts.ts'
import { isOfAccount } from './ui/reasons.ts'

/**
 * What resending would do: nothing can be resent that waits anyway, or must fail again. `repeats`: every destination has it.
 * `to`: the destinations that it goes to, where it did not fail at all of them.
 */
type Resend = { is: 'offered' | 'repeats'; to: string | undefined } | { is: 'fails'; reason: string } | { is: 'no' }

interface EventPage extends Payload {
  session: Session
  shown: Shown
  story: Story
  past: Past
  beside: Beside
  resend: Resend
  /** What mends why it is not delivered. */
  remedies: readonly Action[]
  /** A request for deletion that a person must handle. */
  isRequest: boolean
  rights: Rights
  isResent: boolean
  /** At all destinations, the one that is shown first. */
  states: readonly Shown['state'][]
}

export function eventRoutes(
  app: Hono<Web>,
  { config, storage, keyring, accounts, clock, wake, redriveNeeds }: ConsoleNeeds & { redriveNeeds: RedriveNeeds },
): void {
  const { lookup, audit } = storage

  /** Another account's event is as unknown as one that never was. */
  async function entryOf(c: Context<Web>): Promise<Shown | undefined> {
    const { org } = c.get('session')
    const message = c.req.param('message')!
    if (message.length > 100 || message.includes('\0')) return undefined
    return (await lookup.find({ org, message }, { limit: 1 })).entries[0]
  }

  async function show(c: Context<Web>, shown: Shown, isRevealed: boolean) {
    const session = c.get('session')
    const [install, now] = [accounts.get(session.org), clock.now()]
    const [lanes, beside, opened, all, happened] = await Promise.all([
      lookup.lanes(session.org),
      lookup.beside(shown.id),
      openEntry({ catalogue, keyring, lookup, accounts }, shown),
      atEach(shown),
      happenedTo({ lookup, keyring }, shown.id),
    ])
    const resend = await resendOf(shown, all)
    const past = { shown, lanes, destinations: destinationsAt(session.org), happened, now }
    const story = tell(shown, install, lanes, now)
    const isInLine = shown.state === 'waiting' || shown.state === 'asking'
    const rights = { connects: connectsHere(config, session.org), isFixed: config.single?.org === session.org }
    const { connects, isFixed } = rights
    const remedies = story.why && isInLine ? remediesOf(story.why.reason, install, lanes, now, connects, isFixed) : []
    const isResent = c.req.query('done') === 'resent'
    const isRequest = isOpenRequest(shown)
    return c.html(
      eventPage({
        session,
        shown,
        story,
        past,
        beside,
        resend,
        remedies,
        opened,
        isRevealed,
        rights,
        isRequest,
        isResent,
        states: all.map(({ state }) => state),
      }),
    )
  }

  /** As it stands at each destination, the one that is shown first. */
  async function atEach(shown: Shown): Promise<Shown[]> {
    const { org, messageId: message } = shown
    if (shown.destination === 0) return [shown]
    const others = destinationsAt(org).filter(({ number }) => number !== shown.destination)
    const find = ({ number }: Destination) => lookup.find({ org, message, destination: number }, { limit: 1 })
    const found = await Promise.all(others.map(find))
    return [shown, ...found.flatMap(({ entries }) => entries)]
  }

  function destinationsAt(org: Org): readonly Destination[] {
    const install = accounts.get(org)
    return install ? destinationsOf(install) : []
  }

  async function resendOf(shown: Shown, all: readonly Shown[]): Promise<Resend> {
    const wanted = all.filter(hasFailed)
    if (wanted.length === 0 && redrivable.includes(shown.state)) wanted.push(shown)
    if (wanted.length === 0 || isOpenRequest(shown)) return { is: 'no' }
    if (wanted[0]!.state === 'delivered') return { is: 'repeats', to: undefined }
    const { going, stays } = await movesOf(redriveNeeds, wanted, { query: {}, mapping: 'today' })
    if (going.length === 0) return { is: 'fails', reason: Object.keys(stays)[0] ?? 'unknown' }
    const isTo = ({ number }: Destination) => going.some(({ destination }) => destination === number)
    const names = destinationsAt(shown.org).filter(isTo)
    const isToSome = going.length < all.length && hasFailed(going[0]!)
    return { is: 'offered', to: isToSome ? names.map(({ name }) => name).join(', ') : undefined }
  }

  app.get('/console/events/:message', async (c) => {
    const shown = await entryOf(c)
    return shown ? show(c, shown, false) : refuse(c, 404, 'not_found')
  })

  app.post('/console/events/:message/reveal', allowOldProof, async (c) => {
    await formOf(c, [])
    const shown = await entryOf(c)
    if (!shown) return refuse(c, 404, 'not_found')
    const { org, who } = c.get('session')
    await record({ audit, clock }, { org, who, act: 'lookedAtData', about: shown.messageId })
    return show(c, shown, true)
  })

  app.post('/console/events/:message/handled', async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const shown = await entryOf(c)
    const isHandled = shown && (await handleRequest({ storage, clock }, org, shown.messageId, who))
    return isHandled ? c.redirect('/console/privacy?done=handled', 303) : refuse(c, 404, 'not_found')
  })

  app.post('/console/events/:message/resend', async (c) => {
    const { mapping } = await formOf(c, ['mapping'])
    const shown = await entryOf(c)
    if (!shown) return refuse(c, 404, 'not_found')
    const { org, who } = c.get('session')
    const { messageId } = shown
    const chosen = mapping === 'then' ? 'then' : 'today'
    const wanted = (await atEach(shown)).filter(hasFailed)
    // Where it failed somewhere, what has it is not sent it again.
    const isHereAlone = wanted.length > 0
    let isMoved = false
    for (const one of isHereAlone ? wanted : [shown])
      isMoved = (await redriveOne(redriveNeeds, one, { mapping: chosen, who, isHereAlone })) || isMoved
    if (isMoved) {
      await record({ audit, clock }, { org, who, act: 'redrove', about: messageId })
      wake()
    }
    return c.redirect(`/console/events/${messageId}${isMoved ? '?done=resent' : ''}`, 303)
  })
}

function hasFailed({ state }: Shown): boolean {
  return failed.some((one) => one === state)
}

function eventPage(given: EventPage): Html {
  const { session, shown, isRevealed } = given
  const { type, state } = shown
  const isUnderWay = state === 'waiting' || state === 'asking'
  return page({
    title: type || 'Unreadable webhook',
    section: 'events',
    session,
    // A page with unmasked data is loaded once and stands still.
    uses: isRevealed ? ['copy.js'] : ['live.js', 'copy.js'],
    body: html`<div${isRevealed ? '' : html` data-live="/console/live"${isUnderWay ? html` data-soon` : ''}`}>
      ${contactNav(given.beside)}
      ${header(given)}
      <div class="stack">
        <div id="why" data-part class="stack">${resentNotice(given)}${why(given)}</div>
        <div class="halves">
          <section class="card" id="way" data-part><h2>Timeline</h2>${timeline(given.past)}</section>
          <section class="card" id="facts" data-part><h2>Details</h2>${facts(shown)}</section>
        </div>
        ${payload(given)}
        ${resendDelivered(given)}${request(given)}
      </div>
    </div>`,
  })
}

function contactNav({ previous, next }: Beside): Html | '' {
  if (!previous && !next) return ''
  const link = (message: string | undefined, label: Html, rel: string) =>
    message ? html`<a href="/console/events/${message}" rel="${rel}">${label}</a>` : html`<span></span>`
  return html`<nav class="beside small" aria-label="Events of this contact">
    ${link(previous, html`<span aria-hidden="true">←</span> Previous event of this contact`, 'prev')}
    ${link(next, html`Next event of this contact <span aria-hidden="true">→</span>`, 'next')}
  </nav>`
}

function header({ session, shown, resend }: EventPage): Html {
  const { type, messageId, receivedAt, contact, conversation } = shown
  const drift = conversation
    ? `https://app.drift.com/conversations/${conversation}`
    : contact && `https://app.drift.com/contacts/details/${contact}`
  const sends =
    resend.is === 'offered'
      ? postForm(
          resendPath(messageId),
          session.csrf,
          html`${mappingChoice()}${button(resend.to === undefined ? 'Resend' : `Resend to ${resend.to}`, 'primary')}`,
          'row',
        )
      : ''
  return html`<div class="head event"><div>
      <div class="title"><h1>${type ? breakable(type) : 'Unreadable webhook'}</h1><span id="state" data-part>${stateBadge(shown)}</span></div>
      <p>${when(receivedAt)} · <code id="message">${messageId}</code></p></div>
    <div class="row"><button class="quiet" data-copy="message" hidden>Copy id</button><button class="quiet" data-copy-link hidden>Copy link</button>${
      drift
        ? html`<a class="button quiet" href="${drift}" rel="noreferrer noopener" target="_blank">Open in Drift</a>`
        : ''
    }<span id="resend" data-part>${sends}</span></div></div>`
}

const resendPath = (messageId: string) => `/console/events/${messageId}/resend`

/** What has become of it since is said, however often the page is loaded. */
function resentNotice({ isResent, states, shown, past }: EventPage): Html | '' {
  if (!isResent) return ''
  if (states.some((state) => state === 'waiting' || state === 'asking'))
    return notice('info', 'Resent: the event is queued again')
  const endpoint = past.destinations.find(({ number }) => number === shown.destination)?.endpoint
  const given = states.filter((state) => state !== 'not_given')
  if (given.every((state) => state === 'delivered'))
    return notice(
      'good',
      given.length === 1 ? `Resent: ${endpoint ?? 'Segment'} accepted it` : 'Resent: every destination has it',
    )
  return ''
}

function why({ story: { why }, shown, past, remedies, rights, session, resend }: EventPage): Html | '' {
  if (!why || why.reason === 'in_line') return ''
  const endpoint = past.destinations.find(({ number }) => number === shown.destination)?.endpoint
  const { short, happened } = adviceAt(why.reason, endpoint)
  // What goes on by itself is not a warning.
  const isCalm = (shown.state === 'waiting' || shown.state === 'asking') && !isOfAccount(why.reason)
  const level = isCalm ? 'info' : shown.state === 'dead' ? 'bad' : 'warn'
  const again =
    resend.is === 'fails'
      ? html` Resending now would fail again${resend.reason === why.reason ? '' : html`: ${adviceAt(resend.reason, endpoint).short}`}.`
      : ''
  return notice(
    level,
    short,
    html`<p>${happened}${again}</p><p><strong class="inline">What to do:</strong> ${todoOf(why.reason, rights, endpoint)}</p>
      <details class="code"><summary>Details</summary><code>${why.reason}</code></details>`,
    actionsRow(remedies, session.csrf),
  )
}

function facts({ state, contact, conversation, receivedAt, settledAt, bytes }: Shown): Html {
  const pair = (name: string, value: Html | string | undefined) =>
    value ? html`<dt>${name}</dt><dd>${value}</dd>` : ''
  const all = (value: string) => html`<a href="${addressOf('/console/events', { q: value })}">all its events</a>`
  const drift = (path: string) =>
    html`<a href="https://app.drift.com/${path}" rel="noreferrer noopener" target="_blank">open in Drift</a>`
  return html`<dl class="pairs">
    ${pair('Contact', contact && html`${contact}<br><span class="small">${all(contact)} · ${drift(`contacts/details/${contact}`)}</span>`)}
    ${pair('Conversation', conversation && html`${conversation}<br><span class="small">${all(conversation)} · ${drift(`conversations/${conversation}`)}</span>`)}
    ${pair('Segment anonymousId', contact)}
    ${pair('Received', when(receivedAt))}
    ${pair('Delivered', state === 'delivered' && settledAt !== undefined ? when(settledAt) : undefined)}
    ${pair('Size', `${bytes.toLocaleString('en')} bytes, encrypted`)}
  </dl>`
}

function request({ session, shown, isRequest }: EventPage): Html | '' {
  if (!isRequest) return ''
  const erase = shown.contact
    ? html`<a class="button primary" href="/console/privacy?contact=${shown.contact}#erase">Erase the person</a>`
    : html`<a class="button primary" href="/console/privacy#erase">Erase a person</a>`
  return html`<section class="card"><h2>Deletion request</h2>
    <p class="faint">It is kept, however old it is, until you erase the person or close it. Closing it is noted in the audit.</p>
    <div class="row">${erase}${postForm(`/console/events/${shown.messageId}/handled`, session.csrf, button('Close the request'))}</div></section>`
}

function resendDelivered({ session, shown, resend }: EventPage): Html | '' {
  if (resend.is !== 'repeats') return ''
  return html`<details class="card" id="resend-delivered"><summary>Resend a delivered event</summary>
    <p class="faint">It keeps its message id. Segment drops repeats of the last weeks, so this changes nothing there unless the first one was lost on the way.</p>
    ${postForm(resendPath(shown.messageId), session.csrf, html`${mappingChoice()}${button('Resend')}`, 'stack')}</details>`
}
