/** An event of an account with several destinations: how it stands at each, as links that lead to what happened there. */
import { html } from 'hono/html'
import type { ResendAt } from './event-resend.ts'
import { addressOf } from './query.ts'
import type { Html } from './ui/layout.ts'
import { stateBadge } from './ui/parts.ts'

/** `here`: the number of the one that is shown. */
export function destinationsOfEvent(resends: readonly ResendAt[], message: string, here: number): Html | '' {
  if (resends.length < 2) return ''
  const inOrder = resends.toSorted((one, other) => one.shown.destination - other.shown.destination)
  return html`<nav aria-label="Destinations" id="destinations" data-part><ul class="states">${inOrder.flatMap(
    ({ destination, shown }) =>
      destination
        ? [
            html`<li><a href="${eventAt(message, String(destination.number))}"${destination.number === here ? html` aria-current="page"` : ''}>${destination.name} ${stateBadge(shown)}</a></li>`,
          ]
        : [],
  )}</ul></nav>`
}

/** The address of an event's page, of one destination where its number is given; `done`: what came of a form on it. */
export function eventAt(message: string, destination: string, path = '', done = ''): string {
  return addressOf(`/console/events/${message}${path}`, {}, { done, destination })
}

/** What may stand in the address of an event's page. */
export function isMessageId(text: string): boolean {
  return /^[\w-]{1,100}$/.test(text)
}
