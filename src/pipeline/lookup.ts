/** A lookup at Drift, whose a conversation is: the entries that wait for it, and the requests that were made for it. */
import type { Keyring } from '../accounts/keyring.ts'
import type { ConversationAnswer } from '../drift/conversation.ts'
import type { Id } from '../events/define.ts'
import type { Answered } from '../lib/request.ts'
import type { Attempt } from '../storage/ports/entry.ts'
import type { Lease, Settlement } from '../storage/ports/inbox.ts'
import { type HadBy, hadBy } from './attempt.ts'
import { sealExcerpt } from './excerpt.ts'
import type { Resolved } from './resolve.ts'

export interface PendingLookup {
  conversationId: Id
  waiting: Extract<Resolved, { is: 'asking' }>[]
  /** The requests that were made for it, and are not settled yet. */
  requests: Attempt[]
}

/** Entries of one conversation share one answer: one lookup at a time for each. */
export function pendingLookupsOf(resolved: readonly Resolved[]): PendingLookup[] {
  const pendingLookups = new Map<Id, PendingLookup>()
  for (const one of resolved) {
    if (one.is !== 'asking') continue
    const pendingLookup = pendingLookups.get(one.conversationId) ?? {
      conversationId: one.conversationId,
      waiting: [],
      requests: [],
    }
    pendingLookup.waiting.push(one)
    pendingLookups.set(one.conversationId, pendingLookup)
  }
  return [...pendingLookups.values()]
}

interface Made {
  at: number
  ms: number
  answer: ConversationAnswer
  answered: Answered
  /** Of the request: not to be quoted. */
  secrets: readonly string[]
}

/** Keeps a request that was made for a lookup: when, and what the answer was if it did not help. */
export async function noteRequest(
  { keyring }: { keyring: Pick<Keyring, 'seal'> },
  { org, failures }: Lease,
  { waiting, conversationId, requests }: PendingLookup,
  { at, ms, answer, answered, secrets }: Made,
): Promise<void> {
  const made = { at, ms, status: answered.status, many: waiting.length, tries: failures + 1 }
  if (answer.is === 'found') return void requests.push(made)
  const reason = 'reason' in answer ? answer.reason : reasons[answer.is]
  const asked = { secrets: [...secrets, conversationId], texts: [] }
  requests.push({ ...made, reason, ...(await sealExcerpt(keyring, { org, at }, answered, asked)) })
}

const reasons = {
  missing: 'conversation_missing',
  unauthorised: 'drift_token_refused',
  forbidden: 'drift_forbidden',
  unmakeable: 'drift_request_invalid',
} as const

/** The settlement of the lookup names them, and no later one does. */
function requestsOf({ requests }: PendingLookup): HadBy {
  return hadBy(requests.splice(0))
}

/** What becomes of the entries of a lookup, with the requests that were made for it. */
export function withRequests(pendingLookup: PendingLookup, settlements: readonly Settlement[]): Settlement[] {
  const { attempt, ...earlier } = requestsOf(pendingLookup)
  if (!attempt) return [...settlements]
  const again = settlements.flatMap(({ at, dueAt }) => (dueAt !== undefined && dueAt > at ? dueAt : []))
  const last = again.length > 0 ? { ...attempt, nextAt: Math.min(...again) } : attempt
  return settlements.map((settlement): Settlement => ({ ...settlement, attempt: last, ...earlier }))
}

/** What is kept of requests for entries that ask again with the lane. */
export function leftOf(pendingLookup: PendingLookup, at: number, nextAt: number): Settlement[] {
  const { attempt, ...earlier } = requestsOf(pendingLookup)
  if (!attempt) return []
  const last = { ...attempt, nextAt }
  return pendingLookup.waiting.map(({ entry: { id } }) => ({ id, to: 'same', at, attempt: last, ...earlier }))
}
