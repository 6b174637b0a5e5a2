import { z } from 'zod'
import type { Json } from '../lib/json.ts'
import { type Extra, fieldsOf, type Mapped, option, textOfScalar } from './option.ts'

/** A second event by the names that tools for live chat know, where the event's page says that it is one of theirs. */
export const liveChat = option({
  does: "also sends the Live Chat events of Segment's spec",
  schema: z.literal(true),
  apply(mapped) {
    const extra = extraOf(mapped)
    return extra ? { ...mapped, extra } : mapped
  },
})

function extraOf({ page, call }: Mapped): Extra | undefined {
  const fields = fieldsOf(call)
  const said = page.liveChat?.(fields)
  if (!said) return undefined
  const properties: Record<string, Json> = {}
  const madeOf: Record<string, string> = {}
  for (const [name, from] of Object.entries(said.from)) {
    const text = from === undefined ? undefined : textOfScalar(fields[from])
    if (from === undefined || !text) continue
    properties[name] = text
    madeOf[name] = from
  }
  // Without its conversation it says nothing to anybody.
  if (properties.conversation_id === undefined) return undefined
  const seconds = said.seconds === undefined ? {} : { conversation_duration: said.seconds }
  return { event: said.event, madeOf, properties: { ...properties, ...seconds } }
}
