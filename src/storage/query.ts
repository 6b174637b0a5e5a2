/** What a query means: the same for every engine, whichever index finds the candidates. */
import type { Destination } from './ports/entry.ts'
import {
  type Cursor,
  type LaneShown,
  type Query,
  type Shown,
  type ShownState,
  type Tallied,
  type Tally,
  tallyMax,
} from './ports/lookup.ts'

/** An entry with what decides whether a query finds it. */
export interface Candidate extends Pick<Shown, 'id' | 'org' | 'state' | 'receivedAt'> {
  reason?: string | undefined
  type?: string | undefined
  messageId?: string | undefined
  contact?: string | null | undefined
  conversation?: string | null | undefined
}

export function matches(shown: Candidate, query: Query): boolean {
  const { org, message, contact, conversation, either, type, states, reason, notReason, from, to } = query
  return (
    (org === undefined || shown.org === org) &&
    (message === undefined || shown.messageId === message) &&
    (contact === undefined || shown.contact === contact) &&
    (conversation === undefined || shown.conversation === conversation) &&
    (either === undefined || shown.contact === either || shown.conversation === either) &&
    (type === undefined || shown.type === type) &&
    (states === undefined || states.includes(shown.state)) &&
    (reason === undefined || shown.reason === reason) &&
    (notReason === undefined || shown.reason !== notReason) &&
    (from === undefined || shown.receivedAt >= from) &&
    (to === undefined || shown.receivedAt < to)
  )
}

export function isBelow(shown: Cursor, before: Cursor | undefined): boolean {
  return before === undefined || shown.id < before.id
}

/**
 * So far the order in which entries were kept may differ from that of their receipts: clocks of replicas, and what waits
 * for its group.
 */
export const orderMs = 60_000

/** Adds up what was counted in several ways; rows of nothing are left out. */
export function tallied(rows: readonly Tallied[]): Tallied[] {
  const outcomes = new Map<string, Tallied>()
  for (const { state, reason, count } of rows) {
    const key = `${state} ${reason}`
    const sum = outcomes.get(key)
    if (sum) sum.count += count
    else outcomes.set(key, { state, ...(reason === undefined ? {} : { reason }), count })
  }
  return [...outcomes.values()].filter(({ count }) => count > 0)
}

/**
 * What indexes alone count, put together: what is in the queue, what is an exception, and all where delivered events are
 * wanted; what is neither was delivered.
 */
export function talliedAt(
  destination: Destination,
  {
    all,
    waiting,
    excepted,
    lanes,
  }: { all: number | undefined; waiting: number; excepted: readonly CountedRow[]; lanes: readonly LaneShown[] },
): Tally {
  const why = (of: string) => {
    const lane = lanes.find((one) => `${one.lane} ${one.destination}` === of)
    return lane?.hold ?? lane?.blocked
  }
  const ofLane: Record<string, string> = { waiting: `send ${destination}`, asking: 'ask 0' }
  const except = excepted.reduce((sum, { count }) => sum + Number(count), 0)
  const rows = [
    ...excepted.map(({ state, reason, count }) => ({
      state: state as ShownState,
      reason: why(ofLane[state as string] ?? '') ?? reason,
      count: Number(count),
    })),
    { state: 'waiting', reason: why(ofLane.waiting!), count: waiting } as const,
    { state: 'delivered', reason: undefined, count: all === undefined ? 0 : all - waiting - except } as const,
  ].map(({ state, reason, count }): Tallied => ({ state, ...(typeof reason === 'string' ? { reason } : {}), count }))
  return { rows: tallied(rows), isCut: Math.max(all ?? 0, waiting, except) > tallyMax }
}

type CountedRow = Readonly<Record<string, unknown>>

/** Which kinds of the search index a query names, most selective first, and the value. */
export function indexTermOf(query: Query): { org: string; kinds: string[]; value: string } | undefined {
  const { org, message, contact, conversation, either, type } = query
  if (message !== undefined) return { org: '', kinds: ['message'], value: message }
  if (org === undefined) return undefined
  if (contact !== undefined) return { org, kinds: ['contact'], value: contact }
  if (conversation !== undefined) return { org, kinds: ['conversation'], value: conversation }
  if (either !== undefined) return { org, kinds: ['contact', 'conversation'], value: either }
  return type === undefined ? undefined : { org, kinds: ['type'], value: type }
}
