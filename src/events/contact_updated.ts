import { z } from 'zod'
import { isObject, type Json } from '../lib/json.ts'
import { contactOr, id, identify, time } from './define.ts'

const prefix = 'attributes.'

/** What an entry calls its attribute; '' where that is not a name. */
function nameIn(name: Json | undefined): string {
  if (typeof name !== 'string') return ''
  return name.startsWith(prefix) ? name.slice(prefix.length) : name
}

export default identify({
  type: 'contact_updated',
  when: "a contact's attribute is captured or changes",
  data: z.object({
    endUserId: id(),
    timestamp: time(),
    // One entry of another shape must not cost the others.
    diff: z.array(z.unknown()),
  }),
  from: 'data.endUserId',
  whose: (data) => contactOr(data.endUserId),
  at: 'timestamp',
  distinct: (data) => data.timestamp,
  listed: 'contacts',
  sends: 'attributes',
  fields({ diff }) {
    // No prototype: an attribute may have any name at all, `__proto__` among them.
    const traits: Record<string, Json> = Object.create(null)
    for (const entry of Array.isArray(diff) ? diff : []) {
      const name = isObject(entry) && Object.hasOwn(entry, 'name') ? nameIn(entry.name) : ''
      // The contact's own id is not an attribute's to say.
      if (name === '' || name === 'contactId') continue
      const { updated } = entry as { updated?: Json }
      // A null says that the attribute was cleared, so it is sent; so does an entry without a new value.
      traits[name] = Object.hasOwn(entry as object, 'updated') ? updated! : null
    }
    return Object.keys(traits).length > 0 ? traits : undefined
  },
})
