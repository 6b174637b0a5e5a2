/** What a query means: the same for every engine, whichever index finds the candidates. */
import type { Cursor, Query, Shown, Tallied } from './ports/lookup.ts'

/** An entry with what decides whether a query finds it. */
export type Candidate = Pick<Shown, 'id' | 'org' | 'state' | 'reason' | 'receivedAt' | 'contact' | 'conversation'> &
  Partial<Pick<Shown, 'type' | 'messageId'>>

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
