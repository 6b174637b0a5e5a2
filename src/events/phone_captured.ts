import { z } from 'zod'
import { contactOr, id, identify, idOf, text } from './define.ts'

export default identify({
  type: 'phone_captured',
  when: "a visitor, or an agent, gives the visitor's phone number",
  data: z.object({ contactId: id(), authorId: id(), authorType: text(), conversationId: id(), phoneNumber: text() }),
  from: 'data.authorId of a contact, else the conversation',
  // Typed by an agent, authorId is the agent's: to use it would give the agent the visitor's phone.
  whose: (data) =>
    contactOr((data.authorType === 'contact' && idOf(data.authorId)) || data.contactId, data.conversationId),
  at: 'receipt',
  distinct: () => undefined,
  sends: ['phone'],
  renamed: { phone: text() },
  fields: ({ phoneNumber }) => ((phoneNumber ?? null) === null ? {} : { phone: phoneNumber! }),
})
