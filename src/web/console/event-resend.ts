/** Resending one event: to which destinations, with which options, and as a repeat or as a new event. */
import { html } from 'hono/html'
import type { Destination } from '../../accounts/destinations.ts'
import { failed, type MoveNeeds, movesOf, redrivable } from '../../operations/redrive.ts'
import type { Shown } from '../../storage/ports/lookup.ts'
import type { Session } from '../session.ts'
import { asChoice } from './ui/as-choice.ts'
import type { Html } from './ui/layout.ts'
import { mappingChoice } from './ui/mapping-choice.ts'
import { button, choice, postForm, stateBadge } from './ui/parts.ts'

/**
 * The event at one destination, and what resending it there would do. `failed`: it is sent once more. `left`: it is sent for
 * the first time. `delivered`: it is a repeat, or counted once more. `fails`: it would fail again. `waits`: it is sent anyway.
 */
export interface ResendAt {
  /** Undefined while the event is given over to no destination. */
  destination: Destination | undefined
  shown: Shown
  is: 'failed' | 'left' | 'delivered' | 'fails' | 'waits'
  /** Why it would fail again. */
  reason?: string
}

export function hasFailed({ state }: Shown): boolean {
  return failed.some((one) => one === state)
}

/** What resending would do at each of these, by today's mapping. */
export async function resendsOf(
  needs: MoveNeeds,
  all: readonly Shown[],
  destinations: readonly Destination[],
): Promise<ResendAt[]> {
  return Promise.all(
    all.map(async (shown) => {
      const at = { destination: destinations.find(({ number }) => number === shown.destination), shown }
      if (!redrivable.includes(shown.state)) return { ...at, is: 'waits' as const }
      if (shown.state === 'delivered') return { ...at, is: 'delivered' as const }
      const { going, stays } = await movesOf(needs, [shown], { query: {}, mapping: 'today' })
      if (going.length === 0) return { ...at, is: 'fails' as const, reason: Object.keys(stays)[0] ?? 'unknown' }
      return { ...at, is: hasFailed(shown) ? ('failed' as const) : ('left' as const) }
    }),
  )
}

export interface ResendForm {
  session: Session
  /** The page that the form stands on, and is sent to. */
  to: string
  resends: readonly ResendAt[]
  /** The destination that the page shows. */
  shown: Shown
  /** An event may go by another mapping than today's. */
  isChoice: boolean
  /** What was wrong with what was chosen. */
  wrong?: string | undefined
}

/** One button for what failed: it goes to every destination where it did, and to no other. */
export function resendButton({ session, to, resends, shown }: ResendForm): Html | '' {
  const some = resends.filter(({ is }) => is === 'failed')
  const isLeft = resends.length === 1 && resends[0]?.is === 'left' && shown.state === 'ignored'
  if (some.length === 0 && !isLeft) return ''
  const names = some.flatMap(({ destination }) => destination?.name ?? [])
  const label = some.length > 0 && some.length < resends.length ? `Resend to ${names.join(', ')}` : 'Resend'
  return postForm(to, session.csrf, html`${mappingChoice('today', false)}${button(label, 'primary')}`, 'row')
}

/** Everything that can be chosen; nothing where the button above says all there is to say. */
export function resendCard(given: ResendForm): Html | '' {
  const { session, to, resends, isChoice, wrong } = given
  const isDelivered = resends.some(({ is }) => is === 'delivered')
  const canGo = resends.some(({ is }) => is !== 'waits' && (is !== 'fails' || isChoice))
  if (!canGo || (!isDelivered && !isChoice && resends.length === 1)) return ''
  const boxes =
    resends.length === 1
      ? ''
      : html`<fieldset><legend>Destinations</legend>${resends.map((one) => box(one, given))}</fieldset>`
  const title =
    resends.length > 1
      ? 'Resend to chosen destinations'
      : isDelivered
        ? 'Resend a delivered event'
        : 'Resend with other options'
  return html`<details class="card" id="resend-more"${wrong ? html` open` : ''}><summary>${title}</summary>
    ${wrong ? html`<p class="error">${wrong}</p>` : ''}
    ${postForm(
      to,
      session.csrf,
      html`<input type="hidden" name="chosen" value="yes">${boxes}${isDelivered ? asChoice() : ''}${mappingChoice('today', isChoice)}<div class="row">${button('Resend')}</div>`,
      'stack',
    )}</details>`
}

const hints: Readonly<Record<ResendAt['is'], string>> = {
  failed: 'It failed there, and is sent once more.',
  left: 'It was not sent there before.',
  delivered: 'It was delivered there.',
  fails: 'It would fail there again.',
  waits: 'It is queued there, and sent without it.',
}

function box({ destination, shown, is }: ResendAt, { shown: here, resends, isChoice }: ResendForm): Html {
  if (!destination) return html``
  const label = html`${destination.name} ${stateBadge(shown)}`
  if (is === 'waits' || (is === 'fails' && !isChoice))
    return html`<p class="choice off"><span><strong>${label}</strong><span class="hint">${hints[is]}</span></span></p>`
  const isAnyFailed = resends.some((one) => one.is === 'failed')
  const isMeant = isAnyFailed ? is === 'failed' : shown.destination === here.destination
  return choice('checkbox', 'to', String(destination.number), isMeant, label, hints[is])
}
