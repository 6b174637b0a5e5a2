/** What came of the form that led back to the overview: what the store says of it now, however often the page is loaded. */

import { canRetry, laterOf } from '../../accounts/retry.ts'
import { holdOf } from '../../accounts/state.ts'
import { brought, laterSaid } from '../../operations/attempt-outcome.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import type { Level } from '../pages/parts.ts'

export interface Done {
  level: Level
  title: string
  says: string
}

/** So long after an attempt a page that is loaded again says what it brought. */
const fresh = 10 * 60_000

const levels = { good: 'good', warn: 'warn', bad: 'bad', open: 'info' } as const

/** `word`: the one in the page's address. */
export function doneOf(
  word: string | undefined,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
): Done[] {
  const said = (level: Level, title: string): Done => ({ level, title, says: '' })
  const attempts = lanes
    .filter(({ askedAt }) => askedAt !== undefined && now - askedAt < fresh)
    .map((lane): Done => {
      const { is, says } = brought(lane)
      return said(levels[is], sentence(says))
    })
  const later = lanes.flatMap((lane) => {
    const left = laterOf(lane, now)
    return left ? [said('info', sentence(laterSaid(left)))] : []
  })
  const isHeld = install !== undefined && holdOf(install) !== undefined
  switch (word) {
    case 'paused':
      if (install?.state !== 'paused') return []
      return [said('good', 'Sending is paused. Events are received and kept.')]
    case 'resumed':
      // It has no write key, or was paused again: the reason stands below.
      if (isHeld) return [said('warn', 'Events are kept and not sent, for the reason below.')]
      return install?.state === 'needs_attention'
        ? attempts
        : [said('good', 'Sending goes on, with what waited first.'), ...(attempts.length > 0 ? attempts : later)]
    case 'not_paused':
      return [said('info', 'Sending was not paused: nothing has changed.')]
    case 'nothing':
      if (canRetry(install, lanes, now)) return []
      return [said('info', 'Nothing waits for a later time: nothing was tried.')]
    case 'held':
      if (!isHeld) return []
      return [said('warn', 'Nothing was tried: events are kept and not sent, for the reason below.')]
    case 'later':
      return later
    case 'tried':
      return attempts
    default:
      return []
  }
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
