import { z } from 'zod'
import { contactOr, id, idOf, text, time, track } from './define.ts'

const sent = {
  agentId: id(),
  eventId: text(),
  eventType: text(),
  scheduledAt: time(),
  schedulerId: id(),
  slotEnd: time(),
  slotStart: time(),
  updatedAt: time(),
}

export default track({
  type: 'meeting_updated',
  when: 'a booked meeting is rescheduled or canceled',
  data: z.object({ contactId: id(), conversationId: id(), ...sent }),
  from: 'data.schedulerId, else data.contactId, else the conversation',
  whose: (data) => contactOr(idOf(data.schedulerId) ?? data.contactId, data.conversationId),
  at: 'scheduledAt',
  distinct: (data) => data.scheduledAt ?? data.eventId,
  sends: Object.keys(sent),
})
