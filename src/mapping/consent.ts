import { z } from 'zod'
import { isObject, type Json, readText } from '../lib/json.ts'
import { nameSchema } from './names.ts'
import { option } from './option.ts'

const categoriesMax = 50

/** Which categories the person has allowed, as Segment's consent enforcement reads them. */
export const consent = option({
  does: "copies the contact's consent categories into context.consent",
  schema: z.strictObject({
    /** Holds an object of category and true or false, or the JSON text of one. */
    attribute: nameSchema,
    /** Where the attribute is absent or malformed: the event is sent without, or not at all. */
    otherwise: z.enum(['send', 'leave_out']),
  }),
  takes: ({ attribute }) => [attribute],
  adds: true,
  apply(mapped, { attribute, otherwise }) {
    const categoryPreferences = categoriesOf(mapped.attributes?.[attribute])
    if (categoryPreferences) {
      const { call } = mapped
      return { ...mapped, call: { ...call, context: { ...call.context, consent: { categoryPreferences } } } }
    }
    if (otherwise === 'leave_out') return { leftOut: 'no_consent' }
    return mapped
  },
  prints(printed) {
    const categoryPreferences = { type: 'object', additionalProperties: { type: 'boolean' } }
    const consent = { type: 'object', properties: { categoryPreferences } }
    return { ...printed, context: { ...printed.context, consent } }
  },
  /** What may only be sent with consent must not go without because its consent is long. */
  shorter: (mapped, { otherwise }) => (otherwise === 'leave_out' ? { leftOut: 'no_consent' } : mapped),
})

function categoriesOf(value: Json | undefined): Record<string, boolean> | undefined {
  const reading = typeof value === 'string' ? readText(value) : undefined
  const said = reading?.ok ? reading.value : value
  if (!isObject(said)) return undefined
  const entries = Object.entries(said)
  const isRight = ([name, allowed]: [string, Json]) =>
    typeof allowed === 'boolean' && name !== '__proto__' && name.trim() !== '' && name.length <= 100
  if (entries.length === 0 || entries.length > categoriesMax || !entries.every(isRight)) return undefined
  return Object.fromEntries(entries) as Record<string, boolean>
}
