/** Asking Drift for a conversation, and what its answer means. */
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import type { Answered, Outgoing } from '../lib/request.ts'

export type ConversationAnswer =
  | { is: 'found'; conversation: JsonObject }
  /** Drift does not know it; it may only be young. */
  | { is: 'missing' }
  /** The access token is not accepted (any more). */
  | { is: 'unauthorised' }
  /** The grant does not reach that far. */
  | { is: 'forbidden' }
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
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  if (answer.status === 401) return { is: 'unauthorised' }
  if (answer.status === 403) return { is: 'forbidden' }
  // The gateway's own 404 is about the address, not about a conversation.
  if (answer.status === 404 && !/no route matched/i.test(answer.body)) return { is: 'missing' }
  const retryAfter = answer.headers['retry-after']
  const later = { is: 'later', reason: `drift_${answer.status}`, ...(retryAfter ? { retryAfter } : {}) } as const
  if (answer.status !== 200) return later
  const reading = readText(answer.body)
  const body = reading.ok && isObject(reading.value) ? reading.value : {}
  // Drift wraps what it answers in `data`.
  return isObject(body.data) ? { is: 'found', conversation: body.data } : { is: 'later', reason: 'drift_unreadable' }
}
