import { z } from 'zod'
import { namesSchema, typeRefusal } from './names.ts'
import { eachField, fieldsOf, option, withFields } from './option.ts'

/** Some events, and some attributes of contacts, and no others. */
export const only = option({
  does: 'sends only some events, and of a changed contact only some attributes',
  schema: z.strictObject({
    /** Drift event types that are sent; absent: all. */
    types: z.array(z.string().min(1).max(100)).max(100).optional(),
    /** Attributes that are sent of a contact that has changed; absent: all. */
    attributes: namesSchema.optional(),
  }),
  refusal({ types = [] }, _all, known) {
    const says = types.map((type) => typeRefusal(type, known.types)).find((one) => one !== undefined)
    return says === undefined ? undefined : { part: 'types', says }
  },
  apply(mapped, { types, attributes }) {
    const { page, call } = mapped
    if (types && !types.includes(page.type)) return { leftOut: 'filtered' }
    if (!attributes || page.sends !== 'attributes') return mapped
    const isKept = (name: string) => name === 'contactId' || attributes.includes(name)
    const fields = eachField(fieldsOf(call), (name, value) => (isKept(name) ? [name, value] : undefined))
    // mutant: sends an update of which nothing is left
    if (Object.keys(fields).length === 1) return { leftOut: 'filtered' }
    return { ...mapped, call: withFields(call, fields) }
  },
  prints(printed, { types, attributes }) {
    const { page, fields } = printed
    if (types && !types.includes(page.type)) return undefined
    if (!attributes || page.sends !== 'attributes') return printed
    const named = attributes.map((name) => [name, { schema: {}, of: name }])
    return { ...printed, fields: { ...fields, ...Object.fromEntries(named) }, isOpen: false }
  },
})
