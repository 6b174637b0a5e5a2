/** What came of the form that led back to Home: what the store says of it now, however often the page is loaded. */
import { html } from 'hono/html'
import { destinationOf, destinationState, destinationsOf } from '../../accounts/destinations.ts'
import { canRetry, type Later, laterOf } from '../../accounts/retry.ts'
import { holdOf } from '../../accounts/state.ts'
import { brought } from '../../operations/attempt-outcome.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Destination, Lane } from '../../storage/ports/entry.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { when } from './ui/parts.ts'
import type { Level } from './ui/vocabulary.ts'

export interface Done {
  level: Level
  title: string
  says: string | Html
}

/** So long after an attempt a page that is loaded again says what it brought. */
const freshMs = 10 * 60_000

const levels = { good: 'good', warn: 'warn', bad: 'bad', open: 'info' } as const
const partners: Readonly<Record<Lane, string>> = { send: 'Segment', ask: 'Drift' }

/** `word`: the one in the page's address. `number`: of the destination that the form was about, if it was about one. */
export function doneOf(
  word: string | undefined,
  install: Install | undefined,
  all: readonly LaneShown[],
  now: number,
  number?: Destination,
): Done[] {
  const one = number === undefined || !install ? undefined : destinationOf(install, number)
  if (number !== undefined && !one) return []
  const lanes = one ? all.filter(({ lane, destination }) => lane === 'send' && destination === number) : all
  const state = one ? destinationState(one) : install?.state
  const isOfSeveral = install !== undefined && destinationsOf(install).length > 1
  const partnerOf = ({ lane, destination }: Pick<LaneShown, 'lane' | 'destination'>): Partner => {
    const its = lane === 'send' && install ? destinationOf(install, destination) : undefined
    const endpoint = its?.endpoint
    return { name: isOfSeveral && its ? its.name : (endpoint ?? partners[lane]), endpoint }
  }
  const attemptsOf = (some: readonly LaneShown[]) => some.map((lane) => attemptOf(lane, partnerOf(lane)))
  const asked = lanes.filter(({ askedAt }) => askedAt !== undefined && now - askedAt < freshMs)
  const attempts = attemptsOf(asked)
  const later = lanes.flatMap((lane) => {
    const left = laterOf(lane, now)
    return left ? [laterSaid(left, partnerOf(lane), lane.lastError)] : []
  })
  const isHeld = install !== undefined && holdOf(install, number) !== undefined
  const to = one && isOfSeveral ? ` to ${one.name}` : ''
  /** An attempt from before says nothing of what was resumed: too young, it only puts off the next one. */
  function resumed(): Done[] {
    const own = attemptsOf(asked.filter(({ askedAt }) => askedAt! >= (install?.updatedAt ?? 0)))
    const isPutOff = own.length === 0 && later.length > 0
    return [
      isPutOff
        ? said('info', `Resumed${to}: the next attempt is still to come`, 'Events are kept until it is accepted.')
        : said('good', `Sending${to} is resumed`, 'Queued events are sent in order.'),
      ...(isPutOff ? later : own),
    ]
  }
  switch (word) {
    case 'paused':
      return state === 'paused' ? [said('good', `Sending${to} is paused`, 'Events are received and kept.')] : []
    case 'resumed':
      // It has no write key, or was paused again: the reason stands below.
      if (isHeld) return [said('warn', 'Events are kept and not sent, for the reason below')]
      return state === 'needs_attention' ? attempts : resumed()
    case 'not_paused':
      return [said('info', `Sending${to} was not paused`, 'Nothing has changed.')]
    case 'asked':
      if (!isHeld) return []
      return [
        said('warn', 'Not resumed: Drift said that this account disconnected', 'Drift is asked whether that is so.'),
      ]
    case 'nothing':
      return canRetry(install, lanes, now, number)
        ? []
        : [said('info', 'Nothing to retry', 'No event waits for a later attempt.')]
    case 'held':
      return isHeld ? [said('warn', 'No attempt was made: events are kept and not sent, for the reason below')] : []
    case 'later':
      return later
    case 'tried':
      return attempts
    default:
      return []
  }
}

function said(level: Level, title: string, says: string | Html = ''): Done {
  return { level, title, says }
}

/** Who answered: a destination by its name where the account has several, else the endpoint, Segment or Drift. */
interface Partner {
  name: string
  endpoint: string | undefined
}

function attemptOf(lane: LaneShown, { name: partner, endpoint }: Partner): Done {
  const { is } = brought(lane)
  if (is === 'open')
    return said(levels[is], `The attempt at ${partner} has not ended yet`, 'Reload this page to see what it brought.')
  if (is === 'good')
    return said(levels[is], lane.lane === 'send' ? `${partner} accepted the attempt` : 'Drift answered')
  const { happened, todo } = adviceAt(lane.lastError!, endpoint)
  const whatToDo = is === 'bad' ? 'What to do stands below.' : todo
  const next = lane.readyAt === undefined ? '' : html`Next attempt ${when(lane.readyAt)}. ${whatToDo}`
  return said(levels[is], `Attempt failed: ${happened.replace(/\.$/, '')}`, next)
}

/** `lastError`: what the attempt brought that was made a moment ago. */
function laterSaid({ at, why }: Later, { name, endpoint }: Partner, lastError: string | undefined): Done {
  if (why === 'retry_after')
    return said('info', `${name} asked for a pause`, html`No attempt is made before ${when(at)}.`)
  const brought = lastError === undefined ? '' : `${adviceAt(lastError, endpoint).happened} `
  return said('info', 'An attempt was made a moment ago', html`${brought}The next one is possible at ${when(at)}.`)
}
