import { z } from 'zod'
import { contactOr, id, ids, time, track } from './define.ts'

export default track({
  type: 'conversation_participant_removed',
  when: 'a Drift user leaves a conversation',
  data: z.object({ contactId: id(), conversationId: id(), changedAt: time(), removedParticipants: ids() }),
  from: 'the conversation',
  whose: (data) => contactOr(data.contactId, data.conversationId),
  at: 'changedAt',
  distinct: (data) => data.changedAt,
  sends: ['changedAt', 'conversationId', 'removedParticipants'],
})
