import { z } from 'zod'
import { contactOr, flag, id, idOf, keyOf, text, time, track } from './define.ts'

const sent = {
  agentId: id(),
  conferenceType: text(),
  conversationId: id(),
  eventId: text(),
  isOrgSlug: flag(),
  isPrivate: flag(),
  isRecurring: flag(),
  meetingSource: text(),
  orgId: id(),
  scheduledAt: time(),
  schedulerId: id(),
  slotEnd: time(),
  slotStart: time(),
  slug: text(),
  status: text(),
  updatedAt: time(),
}

export default track({
  type: 'new_meeting',
  when: "a meeting is booked through Drift's scheduling",
  data: z.object({ contactId: id(), ...sent }),
  from: 'data.schedulerId, else data.contactId, else the conversation',
  whose: (data) => contactOr(idOf(data.schedulerId) ?? data.contactId, data.conversationId),
  at: 'scheduledAt',
  distinct: (data) => data.eventId ?? data.scheduledAt,
  once: (data) => keyOf('new_meeting', data.eventId),
  listed: 'meetings',
  sends: Object.keys(sent),
})
