/** One of several destinations, as a card of Connection: where it sends, how it stands there, what waits, and what can be done. */
import { html } from 'hono/html'
import { destinationsOf } from '../../accounts/destinations.ts'
import { canResume, canRetry } from '../../accounts/retry.ts'
import { destinationsMax } from '../../accounts/settings.ts'
import { holdOf, leaving } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown, Snapshot } from '../../storage/ports/lookup.ts'
import {
  addPath,
  anchorOf,
  type DestinationCard,
  destinationBadge,
  keyPairs,
  pageOf,
  testForm,
} from './destination-card.ts'
import { backlogOf } from './figures.ts'
import { hidden } from './key-test.ts'
import { todoOf } from './remedies.ts'
import { refusalOf } from './status-others.ts'
import { resume, resumeOrRetry, retry } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { counted, postForm, when } from './ui/parts.ts'
import { sections } from './ui/sections.ts'

/** What is shown of one. */
export type DestinationShown = Pick<DestinationCard, 'destination' | 'key' | 'isConfirmed' | 'isFixed'>

interface Around extends Pick<DestinationCard, 'session' | 'install' | 'places'> {
  lanes: readonly LaneShown[]
  now: number
  snapshot?: Snapshot | undefined
  connects: boolean
}

export function destinationSummary(shown: DestinationShown, around: Around): Html {
  const { destination, key, isConfirmed } = shown
  const { session, install, snapshot } = around
  const reason = holdOf(install, destination.number) ?? refusalOf(destination, around.lanes)
  return html`<section class="card" id="${anchorOf(install, destination)}">
    <div class="cardhead"><h2>${destination.name}</h2>${destinationBadge(install, destination)}</div>
    ${reason === undefined ? '' : why(reason, shown, around.connects)}
    <dl class="pairs">
      ${keyPairs({ ...shown, ...around })}
      ${snapshot ? html`<dt>Waits</dt><dd>${waits(snapshot, destination.number)}</dd>` : ''}
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

function why(reason: string, { destination, isFixed }: DestinationShown, connects: boolean): Html {
  const { endpoint } = destination
  return html`<p>${adviceAt(reason, endpoint).happened} ${todoOf(reason, { connects, isFixed }, endpoint)}</p>`
}

function waits(snapshot: Snapshot, number: number): string | Html {
  const { queued, blocked, oldestAt } = backlogOf(snapshot, number)
  const parts = [
    ...(queued > 0 ? [`${counted(queued, 'event')} queued`] : []),
    ...(blocked > 0 ? [`${counted(blocked, 'event')} blocked`] : []),
  ]
  if (parts.length === 0) return 'No events wait'
  return html`${parts.join(', ')}${oldestAt === undefined ? '' : html`, since ${when(oldestAt)}`}`
}

/** Each only where it does something. */
function moves({ destination, key }: DestinationShown, { session, install, lanes, now }: Around): Html {
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
