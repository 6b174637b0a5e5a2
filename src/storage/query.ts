/** What a query means: the same for every engine, whichever index finds the candidates. */
import type { Cursor, Query, Shown } from './ports/lookup.ts'

export function matches(shown: Shown, query: Query): boolean {
  const { org, message, contact, conversation, type, states, reason, from, to } = query
  return (
    (org === undefined || shown.org === org) &&
    (message === undefined || shown.messageId === message) &&
    (contact === undefined || shown.contact === contact) &&
    (conversation === undefined || shown.conversation === conversation) &&
    (type === undefined || shown.type === type) &&
    (states === undefined || states.includes(shown.state)) &&
    (reason === undefined || shown.reason === reason) &&
    (from === undefined || shown.receivedAt >= from) &&
    (to === undefined || shown.receivedAt < to)
  )
}

export function isBelow(shown: Cursor, before: Cursor | undefined): boolean {
  return before === undefined || shown.id < before.id
}
