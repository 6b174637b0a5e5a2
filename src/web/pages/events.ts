/** Events: a list to look through, live, by filter, page by page. */
import { html } from 'hono/html'
import { explain } from '../../operations/reasons.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import { addressOf, type Filter, stateChoices } from '../console/query.ts'
import { type Html, page } from '../console/ui/layout.ts'
import { button, head, input, lasting, notice, select, stateBadge, when } from '../console/ui/parts.ts'
import type { Session } from '../session.ts'

export interface EventsPage {
  session: Session
  filter: Filter
  /** The types of the catalogue. */
  types: readonly string[]
  entries: readonly Shown[]
  /** Where the list goes on. */
  next: string | undefined
  /** It is a later page of the list: what is new does not belong here. */
  isFurther: boolean
  /** Why nothing was looked for. */
  wrong?: string | undefined
}

export function eventsPage(given: EventsPage): Html {
  const { session, filter, isFurther, wrong } = given
  const isLive = !isFurther && !wrong
  return page({
    title: 'Events',
    section: 'events',
    session,
    uses: isLive ? ['live.js'] : [],
    body: html`<div${isLive ? html` data-live="/console/live"` : ''}>
      ${head('Events', 'Every webhook of Drift, and what became of it. Times are UTC.', isLive ? html`<span class="live" role="status"></span>` : '')}
      <div class="stack">
        ${filterForm(given)}
        ${wrong ? notice('warn', 'Nothing was looked for', wrong) : list(given)}
      </div>
    </div>`,
  })

  function list({ entries, next }: EventsPage): Html {
    return html`<section class="card sheet" id="list" data-part aria-label="Events found">
      ${entries.length === 0 ? nothing(next !== undefined, isFiltered(filter)) : table(entries)}
    </section>
    ${pager(filter, next, isFurther)}`
  }
}

function filterForm({ filter, types }: EventsPage): Html {
  const typeChoices = [['', 'All events'], ...types.map((type) => [type, type] as const)] as const
  return html`<form method="get" action="/console/events" class="card" role="search" aria-label="Filter events">
    <div class="filter">
      ${select('type', 'Event', typeChoices, filter.type)}
      ${select('state', 'State', stateChoices, filter.state)}
      ${input('contact', 'Contact', { value: filter.contact })}
      ${input('conversation', 'Conversation', { value: filter.conversation })}
      ${input('from', 'From', { value: filter.from, type: 'datetime-local' })}
      ${input('to', 'Before', { value: filter.to, type: 'datetime-local' })}
      ${input('message', 'Message id', { value: filter.message, wide: true })}
      <div class="row wide">${button('Search', 'primary')}${isFiltered(filter) ? html`<a class="button" href="/console/events">Clear</a>` : ''}</div>
    </div>
  </form>`
}

function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== '')
}

function table(entries: readonly Shown[]): Html {
  return html`<table class="cards"><thead><tr>
      <th scope="col">Event</th><th scope="col">State</th><th scope="col">Contact</th><th scope="col">Conversation</th><th scope="col">Received</th>
    </tr></thead><tbody>${entries.map(row)}</tbody></table>`
}

function row(entry: Shown): Html {
  const { id, type, messageId, state, contact, conversation, receivedAt, settledAt } = entry
  const why = state === 'delivered' || entry.reason === undefined ? '' : explain(entry.reason).means
  const took = state === 'delivered' && settledAt !== undefined ? delivered(settledAt - receivedAt) : ''
  const search = (name: 'contact' | 'conversation', value: string | undefined) =>
    value === undefined
      ? html`<span class="faint">–</span>`
      : html`<a href="${addressOf('/console/events', { [name]: value })}">${value}</a>`
  return html`<tr id="e${id}" class="going">
    <td><a href="/console/events/${messageId}">${type || 'unreadable'}</a></td>
    <td data-label="State"><span>${stateBadge(entry)}<span class="under">${why}${took}</span></span></td>
    <td data-label="Contact">${search('contact', contact)}</td>
    <td data-label="Conversation">${search('conversation', conversation)}</td>
    <td data-label="Received">${when(receivedAt)}</td>
  </tr>`
}

function delivered(ms: number): string {
  return ms < 1_000 ? 'within a second' : `after ${lasting(ms)}`
}

function nothing(isMore: boolean, isFiltered: boolean): Html {
  if (isMore)
    return html`<p class="empty"><strong>Nothing among the newest of them</strong>Look further back, or narrow the filter down.</p>`
  return isFiltered
    ? html`<p class="empty"><strong>Nothing found</strong>No event of this account fits the filter.</p>`
    : html`<p class="empty"><strong>No events yet</strong>As soon as something happens in Drift, it appears here by itself.</p>`
}

function pager(filter: Filter, next: string | undefined, isFurther: boolean): Html {
  return html`<nav class="pager" id="pager" data-part aria-label="Pages">
    ${isFurther ? html`<a class="button" href="${addressOf('/console/events', filter)}">Newest</a>` : html`<span></span>`}
    ${next ? html`<a class="button" rel="next" href="${addressOf('/console/events', filter, { before: next })}">Older</a>` : ''}
  </nav>`
}
