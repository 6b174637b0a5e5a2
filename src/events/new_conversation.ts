import { z } from 'zod'
import { contactOr, id, keyOf, text, time, track } from './define.ts'
import { started } from './live-chat.ts'

export default track({
  type: 'new_conversation',
  when: 'a visitor engages with a welcome-message playbook',
  data: z.object({
    contactId: id(),
    createdAt: time(),
    id: id(),
    inboxId: id(),
    relatedPlaybookId: id(),
    status: text(),
    updatedAt: time(),
  }),
  from: 'data.contactId, else the conversation',
  whose: (data) => contactOr(data.contactId, data.id),
  starts: 'id',
  at: 'createdAt',
  distinct: (data) => data.id ?? data.createdAt,
  once: (data) => keyOf('new_conversation', data.id),
  safe: { id: 'conversationId' },
  liveChat: () => ({ event: started, from: { conversation_id: 'id', agent_id: undefined }, seconds: 0 }),
  listed: 'conversations',
  sends: ['createdAt', 'id', 'inboxId', 'relatedPlaybookId', 'status', 'updatedAt'],
})
