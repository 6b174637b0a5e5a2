/** The lookup of a contact at Drift, and what its answer means. */
import { isObject, type JsonObject } from '../lib/json.ts'
import type { Answered, Outgoing } from '../lib/request.ts'
import { type ConversationAnswer, judgeConversation } from './conversation.ts'

export type ContactAnswer =
  /** Empty where Drift knows the contact and says nothing of it. */
  { is: 'found'; attributes: JsonObject } | Exclude<ConversationAnswer, { is: 'found' }>

/** So long one answer is waited for: the events of this contact wait with it. */
const deadlineMs = 10_000

export function contactRequest(apiUrl: string, contactId: string, accessToken: string): Outgoing {
  return {
    method: 'GET',
    url: `${apiUrl}/contacts/${contactId}`,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    deadlineMs,
  }
}

/** Drift's refusals are the same for a contact and a conversation. */
export function judgeContact(answer: Answered): ContactAnswer {
  const judged = judgeConversation(answer)
  if (judged.is !== 'found') return judged
  const { attributes } = judged.conversation
  return { is: 'found', attributes: isObject(attributes) ? attributes : {} }
}
