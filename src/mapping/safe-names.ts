import { z } from 'zod'
import type { Field } from '../events/print.ts'
import { fieldsOf, option, withFields } from './option.ts'

/**
 * Segment's warehouses drop properties called `id` and `userId`, whose columns are theirs: what a page calls so gets the
 * second name that the page has for it.
 */
export const safeNames = option({
  does: 'adds conversationId and agentId beside id and userId, which warehouses drop',
  schema: z.literal(true),
  adds: true,
  apply(mapped) {
    const { page, call } = mapped
    const fields = Object.assign(Object.create(null), fieldsOf(call))
    const copies: Record<string, string> = { ...mapped.copies }
    for (const [from, to] of Object.entries(page.safe ?? {})) {
      if (!(from in fields) || to in fields) continue
      fields[to] = fields[from]
      copies[to] = from
    }
    return { ...mapped, call: withFields(call, fields), copies }
  },
  prints(printed) {
    const fields: Record<string, Field> = { ...printed.fields }
    for (const [from, to] of Object.entries(printed.page.safe ?? {})) if (fields[from]) fields[to] ??= fields[from]
    return { ...printed, fields }
  },
})
