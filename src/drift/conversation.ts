/** The lookup of a conversation at Drift, and what its answer means. */
import { isObject, type JsonObject } from '../lib/json.ts'
import { type Answered, type Outgoing, unmakeable } from '../lib/request.ts'
import { objectOf, ownErrorOf } from './own-error.ts'

export type ConversationAnswer =
  | { is: 'found'; conversation: JsonObject }
  /** Drift does not know it; it may only be young. */
  | { is: 'missing' }
  /** Drift itself does not accept the access token (any more). */
  | { is: 'unauthorised' }
  /** Drift itself says that the grant does not reach that far. */
  | { is: 'forbidden' }
  /** A 401 or 403 that is not Drift's own: most likely a proxy on the way sent it, and the grant may be good. */
  | { is: 'unclear'; reason: string }
  /** The stored token is not one that a request can carry. */
  | { is: 'unmakeable' }
  | { is: 'later'; reason: string; retryAfter?: string }

const deadlineMs = 10_000

export function conversationRequest(apiUrl: string, conversationId: string, accessToken: string): Outgoing {
  return {
    method: 'GET',
    url: `${apiUrl}/conversations/${conversationId}`,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    deadlineMs,
  }
}

export function judgeConversation(answer: Answered): ConversationAnswer {
  if (answer.failure === unmakeable) return { is: 'unmakeable' }
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const error = ownErrorOf(answer)
  if (answer.status === 401 && error !== undefined) return { is: 'unauthorised' }
  if (answer.status === 403 && error !== undefined) return { is: 'forbidden' }
  // Any other 404 is about the address, not about a conversation.
  if (answer.status === 404 && error === 'not_found') return { is: 'missing' }
  if (answer.status === 401 || answer.status === 403) return { is: 'unclear', reason: `drift_${answer.status}` }
  const retryAfter = answer.headers['retry-after']
  const later = { is: 'later', reason: `drift_${answer.status}`, ...(retryAfter ? { retryAfter } : {}) } as const
  if (answer.status !== 200) return later
  // Drift wraps what it answers in `data`.
  const data = objectOf(answer.body)?.data
  return isObject(data) ? { is: 'found', conversation: data } : { is: 'later', reason: 'drift_unreadable' }
}
