/** What came in beside what went out: each field that is sent on one line with the one that it comes from. */
import { html } from 'hono/html'
import type { Json, JsonObject } from '../../lib/json.ts'
import { isOfHistory } from '../../operations/history/keys.ts'
import type { Opened } from '../../operations/inspect.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import type { Session } from '../session.ts'
import { eventAt } from './event-at.ts'
import { type Masked, mask, maskMessage } from './mask.ts'
import type { Past } from './timeline.ts'
import { type Field, type Source, shownAt, trace } from './trace.ts'
import { data, inline } from './ui/json.ts'
import type { Html } from './ui/layout.ts'
import { button, number, postForm } from './ui/parts.ts'

export interface Payload {
  session: Session
  shown: Shown
  opened: Opened | undefined
  /** What it says of a person is shown, which the audit knows. */
  isRevealed: boolean
  /** In addresses of the event's page: the number of the destination that is shown, '' for the first. */
  at: string
  past: Pick<Past, 'destinations'>
}

/** Fields side by side; more are in the JSON below them. */
const rowsMax = 120

export function payload(given: Payload): Html {
  const { session, shown, opened, isRevealed, at } = given
  if (!opened)
    return html`<section class="card"><h2>Payload</h2><p class="faint">It is not kept any more.</p></section>`
  const { cameIn, goesOut, goesWith, learnt, notes = [] } = opened
  const sent = goesOut as unknown as JsonObject | undefined
  const received = isRevealed ? cameIn : typeof cameIn === 'string' ? mask(cameIn) : mask(cameIn)
  const covered = {
    event: received,
    lookup: learnt === undefined || isRevealed ? learnt : mask(learnt),
    sent: sent === undefined || isRevealed ? sent : maskMessage(sent),
  }
  const note = isRevealed
    ? 'Personal data is shown. That is noted in the audit.'
    : 'Personal data is covered. Showing it is noted in the audit.'
  const origin = isOfHistory(shown) ? 'Read from Drift’s history' : 'Received from Drift'
  const read = isOfHistory(shown)
    ? ' Drift sent no webhook with it: this service made it of what Drift lists today.'
    : ''
  const reveal = isRevealed
    ? html`<a class="button" href="${eventAt(shown.messageId, at)}">Cover personal data</a>`
    : postForm(eventAt(shown.messageId, at, '/reveal'), session.csrf, button('Show personal data'))
  return html`<section class="card sheet" id="payload">
    <div class="cardhead inside"><div><h2>Payload</h2><p class="small faint">${note}${read}</p></div>${reveal}</div>
    ${typeof cameIn === 'string' ? '' : aligned(trace(cameIn, goesOut, learnt), covered, [origin, titleOf(given)])}
    ${notes.map((note) => html`<p class="small faint inside">${note}</p>`)}
    <details class="json"><summary>JSON</summary><div class="halves">
      ${document(origin, 'received', covered.event)}
      ${covered.sent === undefined ? html`<p class="faint">${nothingSent(shown)}</p>` : document(titleOf(given), 'sent', covered.sent)}
      ${goesWith === undefined ? '' : document('Sent with it', 'with', isRevealed ? (goesWith as unknown as JsonObject) : maskMessage(goesWith as unknown as JsonObject))}
      ${covered.lookup === undefined ? '' : document('Drift’s answer', 'lookup', covered.lookup)}
    </div></details>
  </section>`
}

/** Who it was sent to, or will be: by name where there are several. */
function titleOf({ shown, past: { destinations } }: Payload): string {
  const its = destinations.find(({ number }) => number === shown.destination)
  const partner = (destinations.length > 1 ? its?.name : its?.endpoint) ?? 'Segment'
  // What is too large, say, has failed before it was sent.
  const isUnsent = shown.state === 'not_given' || (shown.state === 'dead' && shown.answer === undefined)
  if (isUnsent) return `Would be sent to ${partner}`
  return shown.state === 'waiting' || shown.state === 'asking' ? `To be sent to ${partner}` : `Sent to ${partner}`
}

function nothingSent({ state }: Shown): string {
  return state === 'waiting' || state === 'asking' ? 'Nothing yet.' : 'Nothing.'
}

function document(title: string, id: string, value: Json | Masked): Html {
  return html`<div><div class="cardhead"><h3>${title}</h3><button class="quiet" data-copy="${id}" hidden>Copy JSON</button></div>${data(value, id)}</div>`
}

interface Shows {
  event: Json | Masked
  lookup: Json | Masked | undefined
  sent: Json | Masked | undefined
}

function aligned(
  { sent, left }: ReturnType<typeof trace>,
  shows: Shows,
  titles: readonly [came: string, went: string],
): Html {
  const values = { event: shownAt(shows.event), lookup: shownAt(shows.lookup), sent: shownAt(shows.sent) }
  const cell = (of: keyof typeof values, { path }: Field) =>
    html`<code class="path">${path}</code> <span class="value">${inline(values[of].get(path) ?? null)}</span>`
  const from = (source: Source) =>
    html`${source.of === 'lookup' ? html`<span class="faint small">Drift’s answer: </span>` : ''}${cell(source.of, source.field)}`
  const mapped = sent.filter(({ from }) => from)
  const added = sent.filter(({ from }) => !from)
  const rows = [
    ...mapped.map(
      (one) => html`<tr class="mapped"><td>${from(one.from!)}</td><td>${cell('sent', one.field)}</td></tr>`,
    ),
    ...added.map(
      ({ field }) => html`<tr><td class="faint none">added by this service</td><td>${cell('sent', field)}</td></tr>`,
    ),
    ...left.map((field) => html`<tr><td>${cell('event', field)}</td><td class="faint none">not sent</td></tr>`),
  ]
  return html`<table class="aligned"><thead><tr>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
    <tbody>${rows.slice(0, rowsMax)}</tbody></table>
    ${rows.length > rowsMax ? html`<p class="small faint inside">${number(rows.length - rowsMax)} more fields are in the JSON below.</p>` : ''}`
}
