import { z } from 'zod'
import { contactOr, id, ids, pick, text, time, track } from './define.ts'
import { ended, secondsBetween } from './live-chat.ts'

/** Of the conversation: the webhook's own where it carries them, else as Drift answers when it is asked. */
const ofConversation = ['createdAt', 'id', 'inboxId', 'participants', 'relatedPlaybookId', 'status', 'updatedAt']
const ofPush = ['conversationId', 'pushedAt', 'source', 'userId']
/** Not every conversation comes from a playbook; every other field a conversation always has. */
const always = ofConversation.filter((name) => name !== 'relatedPlaybookId')

export default track({
  type: 'conversation_push',
  when: 'a conversation is closed, pushed by hand, or has become inactive',
  data: z.object({
    contactId: id(),
    conversationId: id(),
    pushedAt: time(),
    source: text(),
    userId: id(),
    createdAt: time(),
    id: id(),
    inboxId: id(),
    participants: ids(),
    relatedPlaybookId: id(),
    status: text(),
    updatedAt: time(),
  }),
  from: 'the conversation',
  whose: (data) => contactOr(data.contactId, data.conversationId),
  needsConversation: (data) => always.some((name) => (data[name] ?? null) === null),
  at: 'pushedAt',
  distinct: (data) => data.pushedAt ?? data.updatedAt,
  safe: { id: 'conversationId', userId: 'agentId' },
  liveChat({ status, conversationId, createdAt, pushedAt, updatedAt }) {
    if (status !== 'closed') return undefined
    const conversation = conversationId === undefined ? 'id' : 'conversationId'
    const from = { conversation_id: conversation, agent_id: 'userId' }
    return { event: ended, from, seconds: secondsBetween(createdAt, pushedAt ?? updatedAt) }
  },
  sends: [...ofConversation, ...ofPush].sort(),
  fields: (data, { conversation = {} }) => ({
    ...pick(conversation, ofConversation),
    ...pick(data, [...ofConversation, ...ofPush]),
  }),
})
