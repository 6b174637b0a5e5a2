import { z } from 'zod'
import { fieldsOf, option, textOfScalar } from './option.ts'

/** The contactId as an external id: what Segment's Unify joins profiles by, beside userId and anonymousId. */
export const externalIds = option({
  does: 'adds context.externalIds with drift_contact_id, by which Unify joins profiles',
  schema: z.literal(true),
  adds: true,
  apply(mapped) {
    const { call } = mapped
    const id = textOfScalar(fieldsOf(call).contactId)
    if (id === undefined) return mapped
    // Unify takes an external id only with all four of these (segment.com/docs/unify/identity-resolution/externalids).
    const external = { id, type: 'drift_contact_id', collection: 'users', encoding: 'none' }
    return { ...mapped, call: { ...call, context: { ...call.context, externalIds: [external] } } }
  },
  prints(printed) {
    const text = { type: 'string' }
    const external = { type: 'object', properties: { id: text, type: text, collection: text, encoding: text } }
    return { ...printed, context: { ...printed.context, externalIds: { type: 'array', items: external } } }
  },
})
