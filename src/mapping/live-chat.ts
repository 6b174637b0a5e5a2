import { z } from 'zod'
import type { Field } from '../events/print.ts'
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
  prints(printed) {
    const said = printed.page.liveChat?.(ended)
    if (!said) return printed
    const texts = Object.entries(said.from).flatMap(([name, of]) => (of === undefined ? [] : [[name, textOf(of)]]))
    const fields = { ...Object.fromEntries(texts), conversation_duration: { schema: { type: 'number' }, of: '' } }
    return { ...printed, extra: { event: said.event, fields } }
  },
})

/** Of a conversation that has ended its page says all that it may ever say. */
const ended = { id: 1, conversationId: 1, userId: 1, status: 'closed', createdAt: 0, pushedAt: 0 }

function textOf(of: string): Field {
  return { schema: { type: 'string' }, of }
}

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
