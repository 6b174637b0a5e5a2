import { z } from 'zod'
import { contactOr, id, text, track } from './define.ts'

export default track({
  type: 'playbook_goal_met',
  when: 'a visitor reaches a goal of a playbook',
  data: z.object({
    contactId: id(),
    contactEmail: text(),
    conversationId: id(),
    goalId: text(),
    goalName: text(),
    playbookId: id(),
    playbookName: text(),
  }),
  from: 'data.contactId, else the conversation',
  whose: (data) => contactOr(data.contactId, data.conversationId),
  at: 'receipt',
  // Nothing in it tells two of them apart, and a goal can be met again.
  distinct: () => undefined,
  sends: ['contactEmail', 'conversationId', 'goalId', 'goalName', 'playbookId', 'playbookName'],
})
