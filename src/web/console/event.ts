/** One event: its state and why, what happened to it step by step, and what came in beside what went out. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { handleRequest, isOpenRequest } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { type Destination, destinationOf, destinationsOf } from '../../accounts/destinations.ts'
import { catalogue } from '../../events/index.ts'
import { isOfHistory } from '../../operations/history/keys.ts'
import { openEntry, tell } from '../../operations/inspect.ts'
import { type RedriveNeeds, redriveOne } from '../../operations/redrive.ts'
import { happenedTo } from '../../operations/timeline.ts'
import { messageIdAt } from '../../segment/message-id.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Beside, Shown } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { doneOf } from './done.ts'
import { destinationsOfEvent, eventAt } from './event-at.ts'
import { hasFailed, type ResendForm, resendButton, resendCard, resendsOf } from './event-resend.ts'
import { cameNotices, type EventWhy, resentNotice, why } from './event-why.ts'
import { breakable } from './events.ts'
import { type Payload, payload } from './payload.ts'
import { addressOf } from './query.ts'
import { remediesOf } from './remedies.ts'
import { type Past, timeline } from './timeline.ts'
import { resume, retry } from './ui/actions.ts'
import { type Html, page } from './ui/layout.ts'
import { hasMappingChoice, mappingOf } from './ui/mapping-choice.ts'
import { button, postForm, stateBadge, when } from './ui/parts.ts'

interface EventPage extends Payload, EventWhy {
  past: Past
  beside: Beside
  isChoice: boolean
  wrong: string | undefined
  /** In addresses of this page: the destination that is shown, where the address names one. */
  at: string
  /** A request for deletion that a person must handle. */
  isRequest: boolean
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
    const named = atOf(c)
    const destination = named === '' ? {} : { destination: Number(named) }
    return (await lookup.find({ org, message, ...destination }, { limit: 1 })).entries[0]
  }

  /** The number of the destination that the address names, '' where it names none that is there. */
  function atOf(c: Context<Web>): string {
    const asked = c.req.query('destination') ?? ''
    const install = accounts.get(c.get('session').org)
    return install && asked !== '' && destinationOf(install, Number(asked)) ? asked : ''
  }

  async function show(c: Context<Web>, shown: Shown, isRevealed: boolean, wrong?: string) {
    const session = c.get('session')
    const [install, now] = [accounts.get(session.org), clock.now()]
    const [lanes, beside, opened, all, happened] = await Promise.all([
      lookup.lanes(session.org),
      lookup.beside(shown.id),
      openEntry({ catalogue, keyring, lookup, accounts }, shown),
      atEach(shown),
      happenedTo({ lookup, keyring }, shown.id),
    ])
    const isRequest = isOpenRequest(shown)
    const resends = isRequest ? [] : await resendsOf(redriveNeeds, all, destinationsAt(session.org))
    const past = { shown, lanes, destinations: destinationsAt(session.org), happened, now }
    const story = tell(shown, install, lanes, now)
    const isInLine = shown.state === 'waiting' || shown.state === 'asking'
    // The settings rule the first destination alone.
    const isFirst = shown.destination === 0 || shown.destination === destinationsAt(session.org)[0]?.number
    const rights = {
      connects: connectsHere(config, session.org),
      isFixed: isFirst && config.single?.org === session.org,
    }
    const { connects, isFixed } = rights
    const remedies =
      story.why && isInLine ? remediesOf(story.why.reason, install, lanes, now, connects, isFixed, placeOf(shown)) : []
    const [done, at] = [c.req.query('done'), atOf(c)]
    return c.html(
      eventPage({
        session,
        shown,
        story,
        past,
        beside,
        resends,
        isChoice: hasMappingChoice(install),
        wrong,
        at,
        remedies: remedies.map((one) =>
          one.to === resume.to || one.to === retry.to ? { ...one, event: shown.messageId } : one,
        ),
        came: doneOf(done, install, lanes, now, at === '' ? undefined : Number(at)),
        opened,
        isRevealed,
        rights,
        isRequest,
        done,
      }),
      wrong === undefined ? 200 : 422,
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
    const { mapping, as, chosen, to } = await formOf(c, ['mapping', 'as', 'chosen'], ['to'])
    const shown = await entryOf(c)
    if (!shown) return refuse(c, 404, 'not_found')
    const { org, who } = c.get('session')
    const { messageId } = shown
    const all = await atEach(shown)
    const isChosen = chosen !== '' && all.length > 1
    const wanted = all.filter((one) => (isChosen ? to.includes(String(one.destination)) : hasFailed(one)))
    if (isChosen && wanted.length === 0) return show(c, shown, false, 'Nothing was resent: choose a destination.')
    // Where it failed somewhere, or some were chosen, what else has it is not sent it again.
    const isHereAlone = wanted.length > 0
    const how = { mapping: mappingOf(mapping), who, isHereAlone, asNew: as === 'new' }
    let isMoved = false
    for (const one of isHereAlone ? wanted : [shown]) isMoved = (await redriveOne(redriveNeeds, one, how)) || isMoved
    if (isMoved) {
      await record({ audit, clock }, { org, who, act: 'redrove', about: messageId })
      wake()
    }
    const done = { done: isMoved ? 'resent' : 'stays', destination: atOf(c) }
    return c.redirect(addressOf(`/console/events/${messageId}`, {}, done), 303)
  })
}

/** The destination that an event waits for; none while Drift is asked, which is for all of them. */
function placeOf({ state, destination }: Shown): number | undefined {
  return state === 'waiting' && destination > 0 ? destination : undefined
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
      ${contactNav(given)}
      ${header(given)}
      <div class="stack">
        ${destinationsOfEvent(given.resends, shown.messageId, shown.destination)}
        <div id="why" data-part class="stack">${cameNotices(given)}${resentNotice(given)}${why(given)}</div>
        <div class="halves">
          <section class="card" id="way" data-part><h2>Timeline</h2>${timeline(given.past)}</section>
          <section class="card" id="facts" data-part><h2>Details</h2>${facts(given)}</section>
        </div>
        ${payload(given)}
        ${resendCard(resendForm(given))}${request(given)}
      </div>
    </div>`,
  })
}

function contactNav({ beside: { previous, next }, at }: EventPage): Html | '' {
  if (!previous && !next) return ''
  const link = (message: string | undefined, label: Html, rel: string) =>
    message ? html`<a href="${eventAt(message, at)}" rel="${rel}">${label}</a>` : html`<span></span>`
  return html`<nav class="beside small" aria-label="Events of this contact">
    ${link(previous, html`<span aria-hidden="true">←</span> Previous event of this contact`, 'prev')}
    ${link(next, html`Next event of this contact <span aria-hidden="true">→</span>`, 'next')}
  </nav>`
}

function header(given: EventPage): Html {
  const { shown } = given
  const { type, messageId, receivedAt, contact, conversation } = shown
  const drift = conversation
    ? `https://app.drift.com/conversations/${conversation}`
    : contact && `https://app.drift.com/contacts/details/${contact}`
  return html`<div class="head event"><div>
      <div class="title"><h1>${type ? breakable(type) : 'Unreadable webhook'}</h1><span id="state" data-part>${stateBadge(shown)}</span></div>
      <p>${when(receivedAt)} · <code id="message">${messageId}</code></p></div>
    <div class="row"><button class="quiet" data-copy="message" hidden>Copy id</button><button class="quiet" data-copy-link hidden>Copy link</button>${
      drift
        ? html`<a class="button quiet" href="${drift}" rel="noreferrer noopener" target="_blank">Open in Drift</a>`
        : ''
    }<span id="resend" data-part>${resendButton(resendForm(given))}</span></div></div>`
}

function resendForm({ session, resends, shown, isChoice, wrong, at }: EventPage): ResendForm {
  return { session, resends, shown, isChoice, wrong, to: eventAt(shown.messageId, at, '/resend') }
}

function facts({ shown, past }: EventPage): Html {
  const { state, contact, conversation, receivedAt, settledAt, bytes, messageId, destination, sending } = shown
  const sentAs = messageIdAt(messageId, destination, sending)
  const pair = (name: string, value: Html | string | undefined) =>
    value ? html`<dt>${name}</dt><dd>${value}</dd>` : ''
  const all = (value: string) => html`<a href="${addressOf('/console/events', { q: value })}">all its events</a>`
  const drift = (path: string) =>
    html`<a href="https://app.drift.com/${path}" rel="noreferrer noopener" target="_blank">open in Drift</a>`
  return html`<dl class="pairs">
    ${pair('Contact', contact && html`${contact}<br><span class="small">${all(contact)} · ${drift(`contacts/details/${contact}`)}</span>`)}
    ${pair('Conversation', conversation && html`${conversation}<br><span class="small">${all(conversation)} · ${drift(`conversations/${conversation}`)}</span>`)}
    ${sentAs === messageId ? '' : pair('Message id there', html`<code>${sentAs}</code>`)}
    ${pair(isOfHistory(shown) ? 'Brought in' : 'Received', when(receivedAt))}
    ${pair(past.destinations.length > 1 ? `Delivered to ${nameAt(past, destination)}` : 'Delivered', state === 'delivered' && settledAt !== undefined ? when(settledAt) : undefined)}
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

function nameAt({ destinations }: Past, number: number): string {
  return destinations.find((one) => one.number === number)?.name ?? 'Segment'
}
