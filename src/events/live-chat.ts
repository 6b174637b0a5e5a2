/**
 * The names of Segment's spec for live chat (segment.com/docs/connections/spec/live-chat): two of its four events are ones
 * that Drift's webhooks say. The other two, a message sent or received, are not among them.
 */
import type { Json } from '../lib/json.ts'

export const started = 'Live Chat Conversation Started'
export const ended = 'Live Chat Conversation Ended'

/** What an event is in the words of the spec. */
export interface LiveChat {
  event: typeof started | typeof ended
  /** Properties of the spec that are text, each by the name of the property that it is made of. */
  from: Readonly<Record<'conversation_id' | 'agent_id', string | undefined>>
  /** How long the conversation lasted, in seconds; undefined where its times do not say. */
  seconds: number | undefined
}

/** Whole seconds between two times in milliseconds. */
export function secondsBetween(from: Json | undefined, to: Json | undefined): number | undefined {
  if (typeof from !== 'number' || typeof to !== 'number' || to < from) return undefined
  return Math.round((to - from) / 1_000)
}
