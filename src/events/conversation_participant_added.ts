import { z } from 'zod'
import { contactOr, id, ids, time, track } from './define.ts'

export default track({
  type: 'conversation_participant_added',
  when: 'a Drift user joins a conversation, by hand or by routing',
  data: z.object({ contactId: id(), conversationId: id(), changedAt: time(), addedParticipants: ids() }),
  from: 'the conversation',
  whose: (data) => contactOr(data.contactId, data.conversationId),
  at: 'changedAt',
  distinct: (data) => data.changedAt,
  sends: ['addedParticipants', 'changedAt', 'conversationId'],
})
