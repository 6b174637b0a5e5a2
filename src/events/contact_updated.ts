import { z } from 'zod'
import { isObject, type Json } from '../lib/json.ts'
import { contactOr, id, identify, time } from './define.ts'

const prefix = 'attributes.'

export default identify({
  type: 'contact_updated',
  when: "a contact's attribute is captured or changes",
  data: z.object({
    endUserId: id(),
    timestamp: time(),
    diff: z.array(z.object({ name: z.string(), updated: z.unknown() })),
  }),
  from: 'data.endUserId',
  whose: (data) => contactOr(data.endUserId),
  at: 'timestamp',
  distinct: (data) => data.timestamp,
  sends: 'attributes',
  fields({ diff }) {
    // No prototype: an attribute may have any name at all, `__proto__` among them.
    const traits: Record<string, Json> = Object.create(null)
    for (const entry of Array.isArray(diff) ? diff : []) {
      if (!isObject(entry) || typeof entry.name !== 'string' || entry.updated === undefined) continue
      const name = entry.name.startsWith(prefix) ? entry.name.slice(prefix.length) : entry.name
      // A null says that the attribute was cleared, so it is sent. The contact's own id is not an attribute's to say.
      if (name !== 'contactId') traits[name] = entry.updated
    }
    return Array.isArray(diff) && diff.length > 0 ? traits : undefined
  },
})
