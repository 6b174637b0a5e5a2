import { z } from 'zod'
import { eventNameRefusal } from './names.ts'
import { option } from './option.ts'

/** What Drift's own integration put before the name of every event. */
export const usualPrefix = 'Drift Source Event: '

/** Another beginning of the names of events. */
export const prefix = option({
  does: `puts another text than "${usualPrefix.trim()}" before the names of events`,
  schema: z.string().max(100),
  refusal: (text) => eventNameRefusal(`${text}event`),
  adds: true,
  apply(mapped, text) {
    const { call, page } = mapped
    return call.type === 'track' ? { ...mapped, call: { ...call, event: `${text}${page.type}` } } : mapped
  },
  prints: (printed, text) =>
    printed.event === undefined ? printed : { ...printed, event: `${text}${printed.page.type}` },
})
