/** What a resend would do, before it is confirmed: what goes, what would fail again, and what repeats mean. */
import { html } from 'hono/html'
import type { Mapping, Redrive } from '../../operations/redrive.ts'
import type { Session } from '../session.ts'
import { type Chosen, endpointAt, endpointIn, isOfSeveral } from './at-destination.ts'
import { breakable } from './events.ts'
import { addressOf, type Filter } from './query.ts'
import { adviceAt } from './ui/advice-at.ts'
import { type As, asChoice } from './ui/as-choice.ts'
import type { Html } from './ui/layout.ts'
import { button, choice, counted, notice, number, postForm, stateBadge, when } from './ui/parts.ts'

/** More events than this are confirmed once more, with the total. */
export const unconfirmedMax = 100

/** What a dry run found; `isCut`: there is more, which it did not look at. */
export interface Preview {
  id: string
  /** All that the search finds, looked at or not. */
  total: number
  isTotalCut: boolean
  found: Redrive
  isCut: boolean
  /** The filter with its time as of this moment: what arrives afterwards is not meant. */
  meant: Filter
}

export interface ResendGiven {
  session: Session
  mapping: Mapping
  as: As
  filter: Filter
  chosen: Chosen
}

export function previewed(preview: Preview, { session, mapping, as, filter, chosen }: ResendGiven): Html {
  const { found: dry, isCut, total, isTotalCut, meant, id } = preview
  const endpoint = endpointIn(filter, chosen)
  if (total === 0 || (dry.moved === 0 && !isCut))
    return html`${notice('info', total === 0 ? 'No event matches' : `None of ${counted(dry.found, 'event')} can be resent`, total === 0 ? 'Nothing that failed or was not recognized is in this selection.' : 'Each of them would fail again.')}${failing(dry.stays, endpoint, filter)}`
  const many = isCut ? total : dry.moved
  const plus = isTotalCut ? '+' : ''
  const hidden = Object.entries({ ...meant, mapping, id }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const needsBox = total > unconfirmedMax
  const box = needsBox
    ? choice(
        'checkbox',
        'confirmed',
        'yes',
        false,
        `Yes, resend ${plus === '' ? counted(many, 'event') : `${number(many)}+ events`}`,
        'It can be cancelled while it runs.',
      )
    : ''
  const label = isCut ? `Resend up to ${number(many)}${plus} events` : `Resend ${counted(many, 'event')}`
  return html`<section class="card sheet" id="preview" aria-label="Preview">
    <div class="cardhead inside"><div><h2>${isCut ? `Up to ${number(many)}${plus} events` : counted(many, 'event')} would be resent</h2>
      ${isCut ? html`<p class="small faint">${number(dry.found)} of them were tried, the newest: ${number(dry.moved)} can be resent.</p>` : ''}
      <p class="small faint">${whereTo(filter, chosen)}${duplicates(filter)}</p></div></div>
    <div class="inside stack">${refused(dry.refused, endpoint)}${failing(dry.stays, endpoint, filter)}
      ${postForm('/console/resend', session.csrf, html`${hidden}${filter.state === 'delivered' ? asChoice(as) : ''}${box}<div class="row">${button(label, 'primary')}</div>`, 'stack')}</div>
    <table class="events brief"><thead><tr><th scope="col">For example</th><th scope="col">State and reason</th><th scope="col">Received</th></tr></thead>
    <tbody>${dry.samples.map(
      (shown) => html`<tr>
        <td class="what"><a href="/console/events/${shown.messageId}">${breakable(shown.type || 'unreadable')}</a></td>
        <td class="state">${stateBadge(shown)}${shown.reason ? html`<span class="under">${adviceAt(shown.reason, endpointAt(chosen, shown.destination)).short}</span>` : ''}</td>
        <td class="when">${when(shown.receivedAt)}</td></tr>`,
    )}</tbody></table>
  </section>`
}

/** Of an account with several destinations: an event counts once for each that it goes to. */
function whereTo({ destination }: Filter, chosen: Chosen): string {
  if (!isOfSeveral(chosen)) return ''
  return destination === ''
    ? 'Each goes to the destinations where it is in this state, and counts once for each. '
    : `To ${chosen.shown.name} alone. `
}

function duplicates({ state }: Filter): string {
  return state === 'delivered'
    ? 'Choose below whether they are repeated, or sent as new events.'
    : 'They keep their message ids, so Segment counts none of them twice.'
}

function refused(reasons: Redrive['refused'], endpoint: string | undefined): Html | '' {
  const rows = Object.entries(reasons)
  if (rows.length === 0) return ''
  return html`<p class="small">Of these, ${rows.map(([reason, count], at) => html`${at === 0 ? '' : ', '}${number(count)} failed before (${adviceAt(reason, endpoint).short})`)}. They fail again if nothing has changed since.</p>`
}

/** Why some stay, each reason a link to those that have it. */
export function failing(
  stays: Redrive['stays'],
  endpoint: string | undefined,
  filter: Partial<Filter> = {},
): Html | '' {
  const rows = Object.entries(stays)
  if (rows.length === 0) return ''
  const sum = rows.reduce((all, [, count]) => all + count, 0)
  return html`<div class="notice warn"><div><strong>${counted(sum, 'event')} would fail again, and ${sum === 1 ? 'stays' : 'stay'}</strong>
    <ul>${rows.map(
      ([reason, count]) =>
        html`<li><a href="${addressOf('/console/events', { ...filter, state: '', reason })}">${number(count)}: ${adviceAt(reason, endpoint).short}</a></li>`,
    )}</ul></div></div>`
}
