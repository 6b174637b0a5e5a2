import { z } from 'zod'
import { confirmation, externalAttribute, identityOf, isConfirmed } from './identity.ts'
import { nameSchema } from './names.ts'
import { option } from './option.ts'

/** `userId` beside the anonymousId, from an attribute of the contact. */
export const userId = option({
  does: "adds userId from the contact's externalId, or from another attribute",
  schema: z.strictObject({
    attribute: nameSchema.default(externalAttribute),
    /** What the admin has typed, for any attribute but externalId. */
    confirmed: z.string().max(200).optional(),
  }),
  takes: ({ attribute }) => [attribute],
  refusal({ attribute, confirmed }) {
    if (attribute === externalAttribute || isConfirmed(confirmed)) return undefined
    return `userId from ${attribute} needs the words "${confirmation}"`
  },
  adds: true,
  apply(mapped, { attribute }) {
    const id = identityOf(mapped.attributes?.[attribute])
    if (id === undefined) return mapped
    return { ...mapped, call: { ...mapped.call, userId: id } }
  },
  prints: (printed) => ({ ...printed, hasUserId: true }),
})
