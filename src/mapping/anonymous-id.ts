import { z } from 'zod'
import { anonymousAttribute, confirmation, identityOf, isConfirmed } from './identity.ts'
import { option } from './option.ts'

/** The browser's anonymousId in the place of the contactId, where the contact has one. */
export const anonymousId = option({
  does: `takes the contact's attribute ${anonymousAttribute} as anonymousId, where it is there`,
  schema: z.strictObject({
    /** What the admin has typed. */
    confirmed: z.string().max(200).optional(),
  }),
  takes: () => [anonymousAttribute],
  refusal: ({ confirmed }) =>
    isConfirmed(confirmed) ? undefined : `anonymousId from ${anonymousAttribute} needs the words "${confirmation}"`,
  adds: true,
  apply(mapped) {
    const id = identityOf(mapped.attributes?.[anonymousAttribute])
    return id === undefined ? mapped : { ...mapped, call: { ...mapped.call, anonymousId: id } }
  },
})
