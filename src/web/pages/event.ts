/** One event: its way, why it is not there yet, and what came in beside what went out. */
import { html } from 'hono/html'
import type { Json, JsonObject } from '../../lib/json.ts'
import { pageOf, versionOf } from '../../mapping/versions.ts'
import type { Opened, Step, Story } from '../../operations/inspect.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import { mask, maskMessage } from '../console/mask.ts'
import { addressOf } from '../console/query.ts'
import { type Action, actionsRow } from '../console/ui/actions.ts'
import { type Html, page } from '../console/ui/layout.ts'
import { button, head, notice, number, postForm, stateBadge, when } from '../console/ui/parts.ts'
import type { Session } from '../session.ts'
import { data } from './data.ts'
import { mappingChoice } from './mapping-choice.ts'

export interface EventPage {
  session: Session
  shown: Shown
  story: Story
  opened: Opened | undefined
  /** What it says of a person is shown, which the audit knows. */
  isRevealed: boolean
  canRedrive: boolean
  /** What mends why it is not delivered. */
  remedies: readonly Action[]
  /** A request for deletion that a person must handle. */
  isRequest: boolean
  done?: string | undefined
}

export function eventPage(given: EventPage): Html {
  const { session, shown, story, isRevealed, done } = given
  const { type, messageId } = shown
  return page({
    title: type || 'An unreadable webhook',
    section: 'events',
    session,
    // A page with unmasked data is loaded once and stands still.
    uses: isRevealed ? ['copy.js'] : ['live.js', 'copy.js'],
    body: html`<div${isRevealed ? '' : html` data-live="/console/live"`}>
      ${head(type || 'An unreadable webhook', html`<code id="message">${messageId}</code> <button class="quiet" data-copy="message" hidden>Copy</button>`, html`<span id="state" data-part>${stateBadge(shown)}</span>`)}
      <div class="stack">
        <div id="why" data-part>${done ? notice('good', done) : ''}${why(given)}</div>
        <div class="halves">
          <section class="card" id="way" data-part><h2>Its way</h2><ol class="way">${story.steps.map(step)}</ol></section>
          <section class="card"><h2>What is known</h2>${facts(shown)}</section>
        </div>
        ${bodies(given)}
        ${again(given)}${request(given)}
      </div>
    </div>`,
  })
}

function why({ story: { why }, remedies, session }: EventPage): Html | '' {
  if (!why) return ''
  const level = why.reason === 'in_line' || why.reason === 'asking' ? 'info' : 'warn'
  return notice(
    level,
    `Not delivered: ${why.means}.`,
    html`What to do: ${why.todo}. <span class="faint small mono">${why.reason}</span>`,
    actionsRow(remedies, session.csrf),
  )
}

function step({ at, what }: Step): Html {
  return html`<li class="${at === undefined ? 'known' : ''}">${what}${at === undefined ? '' : when(at)}</li>`
}

function facts({ contact, conversation, receivedAt, settledAt, answer, bytes, mapping }: Shown): Html {
  const pair = (name: string, value: Html | string | undefined) =>
    value ? html`<dt>${name}</dt><dd>${value}</dd>` : ''
  const list = (name: 'contact' | 'conversation', value: string) =>
    html`<a href="${addressOf('/console/events', { [name]: value })}">all its events</a>`
  return html`<dl class="pairs">
    ${pair('Contact', contact && html`${contact} · <a href="https://app.drift.com/contacts/details/${contact}" rel="noreferrer noopener" target="_blank">open in Drift</a> · ${list('contact', contact)}`)}
    ${pair('Segment anonymousId', contact)}
    ${pair('Conversation', conversation && html`${conversation} · <a href="https://app.drift.com/conversations/${conversation}" rel="noreferrer noopener" target="_blank">open in Drift</a> · ${list('conversation', conversation)}`)}
    ${pair('Received', when(receivedAt))}
    ${pair('Settled', settledAt === undefined ? undefined : when(settledAt))}
    ${pair('Segment answered', answer && `${answer.status}, in a batch of ${number(answer.many)}, at try ${answer.tries}`)}
    ${pair('Size', `${number(bytes)} bytes, sealed`)}
    ${pair('Mapping', mapping > 0 ? `version ${pageOf(mapping)} of the event's page${versionOf(mapping) > 0 ? `, with the options of save ${versionOf(mapping)}` : ''}` : 'none: it is no event of the catalogue')}
  </dl>`
}

function bodies({ session, shown, opened, isRevealed }: EventPage): Html {
  if (!opened)
    return html`<section class="card"><h2>What it says</h2><p class="faint">Its body is not kept any more.</p></section>`
  const show = (value: Json | string) =>
    data(isRevealed ? value : typeof value === 'string' ? { text: mask(value) } : mask(value))
  const sent = (message: JsonObject) => data(isRevealed ? message : maskMessage(message))
  const reveal = isRevealed
    ? html`<a class="button" href="/console/events/${shown.messageId}">Cover personal data again</a>`
    : postForm(`/console/events/${shown.messageId}/reveal`, session.csrf, button('Show personal data'))
  const note = isRevealed
    ? 'Personal data is shown, and the audit knows of it.'
    : 'Personal data is covered. Showing it is noted in the audit.'
  return html`<section class="card">
    <div class="cardhead"><div><h2>What it says</h2><p class="small faint">${note}</p></div>${reveal}</div>
    <div class="halves">
      <div><h3>Came in, from Drift</h3>${show(opened.cameIn)}</div>
      <div><h3>${shown.state === 'delivered' ? 'Went out, to Segment' : 'Goes out, to Segment'}</h3>${
        opened.goesOut
          ? sent(opened.goesOut as unknown as JsonObject)
          : html`<p class="faint">Nothing: it is not known yet, or there is nothing to say.</p>`
      }${opened.goesWith ? html`<h3>And with it</h3>${sent(opened.goesWith as unknown as JsonObject)}` : ''}
      ${(opened.notes ?? []).map((note) => html`<p class="faint">${note}</p>`)}</div>
    </div>
    ${opened.learnt === undefined ? '' : html`<details><summary>What Drift answered when it was asked</summary>${show(opened.learnt)}</details>`}
  </section>`
}

function request({ session, shown, isRequest }: EventPage): Html | '' {
  if (!isRequest) return ''
  const form = postForm(
    `/console/events/${shown.messageId}/handled`,
    session.csrf,
    button('It is handled: take it off the list', 'primary'),
  )
  return html`<section class="card"><h2>When the person is deleted</h2>
    <p class="faint">Until then this request is kept, however old it is. Taking it off the list is noted in the audit.</p>${form}</section>`
}

function again({ session, shown, canRedrive }: EventPage): Html | '' {
  if (!canRedrive) return ''
  const form = postForm(
    `/console/events/${shown.messageId}/redrive`,
    session.csrf,
    html`${mappingChoice()}${button('Send it again', 'primary')}`,
    'stack',
  )
  const note = html`<p class="faint">It keeps its messageId: Segment drops what it has seen already, for about four weeks.</p>`
  return shown.state === 'delivered'
    ? html`<details class="card"><summary>Send it again</summary>${note}${form}</details>`
    : html`<section class="card"><h2>Send it again</h2>${note}${form}</section>`
}
