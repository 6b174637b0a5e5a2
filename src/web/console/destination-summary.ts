/** One of several destinations, as a card of Connection: where it sends, how it stands there, what waits, and what can be done. */
import { html } from 'hono/html'
import { destinationsOf } from '../../accounts/destinations.ts'
import { canResume, canRetry } from '../../accounts/retry.ts'
import { destinationsMax } from '../../accounts/settings.ts'
import { holdOf, leaving } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { addPath, anchorOf, pageOf } from './destination-address.ts'
import { type DestinationCard, destinationBadge, destinationPairs, testForm } from './destination-card.ts'
import { flowOf, haltSaid } from './destination-flow.ts'
import { hidden } from './key-test.ts'
import { resume, resumeOrRetry, retry } from './ui/actions.ts'
import type { Html } from './ui/layout.ts'
import { postForm } from './ui/parts.ts'
import { sections } from './ui/sections.ts'

/** What is shown of one. */
export type DestinationShown = Pick<DestinationCard, 'destination' | 'key' | 'isConfirmed' | 'isFixed'>

type Around = Pick<DestinationCard, 'session' | 'install' | 'places' | 'facts'>

export function destinationSummary(shown: DestinationShown, around: Around): Html {
  const { destination, key, isConfirmed, isFixed } = shown
  const { session, install, facts } = around
  const flow = flowOf(facts, destination)
  const halt = haltSaid(flow, { connects: facts.connects, isFixed }, destination.endpoint)
  return html`<section class="card" id="${anchorOf(install, destination)}">
    <div class="cardhead"><h2>${destination.name}</h2>${destinationBadge(install, destination, flow)}</div>
    ${halt ? html`<p>${halt.says}</p>` : ''}
    <dl class="pairs">
      ${destinationPairs({ ...shown, ...around }, flow)}
    </dl>
    <div class="row">${key ? testForm(session, destination, isConfirmed ? '' : 'primary') : ''}${moves(shown, around)}
      <a class="button" href="${pageOf(destination)}">${key ? 'Change' : 'Enter write key'}${ofWhich(destination.name)}</a>
      <a class="button" href="${sections.mapping.path}?destination=${destination.number}">${sections.mapping.name}${ofWhich(destination.name)}</a></div>
  </section>`
}

/** For those who hear a button without its card. */
function ofWhich(name: string): Html {
  return html`<span class="hidden">: ${name}</span>`
}

/** Each only where it does something. */
function moves({ destination, key }: DestinationShown, { session, install, facts }: Around): Html {
  const { lanes, now } = facts
  const { number, name, paused } = destination
  const hold = holdOf(install, number)
  const isHeldByOthers = hold === 'not_allowed' || hold === leaving || hold === 'disconnect_unproven'
  const offered = [
    ...(canResume(install, number) ? [resume] : []),
    ...(canRetry(install, lanes, now, number) ? [retry] : []),
  ]
  const to = (path: string, label: string) =>
    postForm(
      path,
      session.csrf,
      html`${hidden({ destination: String(number) })}<button>${label}${ofWhich(name)}</button>`,
    )
  return html`${paused || !key || isHeldByOthers ? '' : to('/console/pause', 'Pause')}
      ${offered.map((action) => to(action.to, action.label))}${resumeOrRetry(offered)}`
}

/** The way to another one, as long as the account may have it. */
export function addRow(install: Install): Html {
  if (destinationsOf(install).length >= destinationsMax)
    return html`<p class="small faint">An account has at most ${destinationsMax} destinations.</p>`
  return html`<div class="row"><a class="button" href="${addPath}">Add destination</a></div>`
}
