/**
 * Drift's lists from beginning to end, a page at a time, each with the place from which another process can go on. A list
 * shifts while it is read, so it is read again until nothing new comes: see `passes`.
 */

import {
  conversationIn,
  type ListAnswer,
  type Listed,
  meetingIn,
  meetingsDays,
  meetingsMax,
  type Next,
  pageMax,
  updatedIn,
} from '../../drift/lists.ts'
import type { Json } from '../../lib/json.ts'
import type { HistoryOfDrift, Told } from './ask.ts'
import { watchForEnd } from './without-end.ts'

export interface Page {
  listed: Listed[]
  /** Records that say too little, or nothing, to be one. */
  unreadable: number
}

/** `endless`: the list does not come to an end; see without-end.ts. */
export type Pages = AsyncGenerator<Page, { is: 'end' | 'endless' } | Exclude<Told<ListAnswer>, { is: 'page' }>>

export interface ConversationPlace {
  next?: Next
  /** Drift forgot where the reading was, and it began again at the top. */
  restarts?: number
}

/** Smaller pages are tried when one is too large to be read, down to this. */
const pageMin = 5
/** So often in a row the reading begins at the top, because Drift does not know its own token any more. */
const restartsMax = 3
/** Of a list that goes in a circle, the circle is found when it has no more pages than this. */
const rememberedMax = 256

/**
 * Conversations that were updated from then on, last updated first; those before may be among them. `at` says where each page
 * goes on, for the next process: it is undefined after the last.
 */
export async function* conversations(
  drift: Pick<HistoryOfDrift, 'conversations'>,
  updatedFrom: number,
  place: ConversationPlace = {},
  at: (place: ConversationPlace | undefined) => void = () => {},
): Pages {
  let { next, restarts = 0 } = place
  let limit = pageMax
  const seen: string[] = []
  let watch = watchForEnd()
  for (;;) {
    const answer = await drift.conversations(limit, next)
    if (answer.is === 'too_large' && limit > pageMin) {
      limit = Math.max(pageMin, Math.floor(limit / 2))
      continue
    }
    if (answer.is === 'refused' && limit > 50) {
      // An older documentation of the list has 50 for the most.
      limit = 50
      continue
    }
    if (answer.is === 'refused' && next && restarts < restartsMax) {
      restarts += 1
      next = undefined
      seen.length = 0
      watch = watchForEnd()
      continue
    }
    if (answer.is !== 'page') return answer
    const page = pageOf(answer.records, conversationIn)
    const ends = watch.page(page.listed.map(({ id }) => id))
    if (ends === 'endless') return { is: 'endless' }
    const token = answer.next && `${answer.next.by} ${answer.next.token}`
    const isCircle = ends === 'circle' || (token !== undefined && (seen.includes(token) || sameAs(next, answer.next)))
    const isLast = token === undefined || isCircle || isAllBefore(answer.records, updatedFrom)
    if (token !== undefined) seen.push(token)
    if (seen.length > rememberedMax) seen.shift()
    next = isLast ? undefined : answer.next
    at(isLast ? undefined : { ...(next ? { next } : {}), ...(restarts > 0 ? { restarts } : {}) })
    yield page
    if (isLast) return { is: 'end' }
  }
}

function sameAs(one: Next | undefined, other: Next | undefined): boolean {
  return one?.by === other?.by && one?.token === other?.token
}

/** The list goes by update: when all that can be read of a page is older, so is everything behind it. */
function isAllBefore(records: readonly Json[], from: number): boolean {
  const times = records.flatMap((record) => updatedIn(record) ?? [])
  return times.length > 0 && Math.max(...times) < from
}

const dayMs = 86_400_000
/** How far ahead people book. */
const aheadMs = 400 * dayMs
/** Windows are cut no finer than this: no organization has a thousand meetings that begin in one minute. */
const windowMsMin = 60_000
/** So many answers hold 100,000 meetings: where there are more, the list does not keep to the windows. */
const windowsMax = 500

/** Meetings that began in the last 30 days, or will begin: Drift lists no others. */
export async function* meetings(drift: Pick<HistoryOfDrift, 'meetings'>, now: number): Pages {
  const windows: [from: number, to: number][] = [[now - meetingsDays * dayMs, now + aheadMs]]
  let asked = 0
  for (let window = windows.pop(); window; window = windows.pop()) {
    if (++asked > windowsMax) return { is: 'endless' }
    const [from, to] = window
    const answer = await drift.meetings(from, to)
    const isFull = answer.is === 'page' && answer.records.length >= meetingsMax
    if ((isFull || answer.is === 'too_large') && to - from > windowMsMin) {
      const middle = Math.floor((from + to) / 2)
      windows.push([middle + 1, to], [from, middle])
      continue
    }
    if (answer.is !== 'page') return answer
    yield pageOf(answer.records, meetingIn)
  }
  return { is: 'end' }
}

function pageOf(records: readonly Json[], read: (record: Json) => Listed | undefined): Page {
  const found = new Map<string, Listed>()
  let unreadable = 0
  for (const record of records) {
    const listed = read(record)
    if (listed) found.set(listed.id, listed)
    else unreadable += 1
  }
  return { listed: [...found.values()], unreadable }
}
