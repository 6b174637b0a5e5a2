/** An event and what is known of it become one Segment call. Pure: the same in, the same out, on every attempt. */
import { type EventPage, eventName, fieldsBy, type Known } from '../events/define.ts'
import { type Json, type JsonObject, numberOf } from '../lib/json.ts'
import { applyOptions, type Sent } from '../mapping/apply.ts'
import type { Attributes, LeftOut } from '../mapping/option.ts'
import type { Options } from '../mapping/options.ts'
import { noOptions, pageOf } from '../mapping/versions.ts'
import { type Call, context, integrations } from '../segment/call.ts'

/** Nothing of Drift's is older than this; a smaller number is not a time in milliseconds. */
const earliestMs = Date.UTC(2010, 0, 1)
const dayMs = 24 * 3_600_000

/** Undefined when the event says nothing, such as a contact update without a change. */
export function translate(
  page: EventPage,
  data: JsonObject,
  known: Known,
  entry: Translated['entry'],
): Call | undefined {
  const fields = fieldsBy(page, pageOf(entry.mapping), data, known)
  if (fields === undefined) return undefined
  const said: Record<string, Json> = Object.assign(Object.create(null), { contactId: numberOf(known.contactId) })
  for (const [name, value] of Object.entries(fields)) if (name !== 'contactId') said[name] = value
  const message = {
    anonymousId: known.contactId,
    // mutant: makes the messageId when it sends
    messageId: entry.sentAs ?? entry.messageId,
    timestamp: new Date(timeOf(page, data, entry.receivedAt)).toISOString(),
    context,
    integrations,
  }
  return page.call === 'track'
    ? { type: 'track', event: eventName(page), ...message, properties: said }
    : { type: 'identify', ...message, traits: said }
}

/** What a destination with these options gets of an event; undefined when the event says nothing. */
export function sentFor(
  { page, data, known, entry, learnt }: Translated,
  options: Options,
): Sent | LeftOut | undefined {
  const call = translate(page, data, known, entry)
  if (!call || options === noOptions) return call && { call, leftOff: [] }
  return applyOptions(call, page, options, learnt?.attributes)
}

export interface Translated {
  page: EventPage
  data: JsonObject
  known: Known
  /** `sentAs`: the messageId that the destination gets, where that is not the event's own. */
  entry: { messageId: string; sentAs?: string; receivedAt: number; mapping: number }
  /** `attributes`: what is known of its contact, as far as options take it. */
  learnt?: { attributes?: Attributes }
}

/** Drift's time of the event where it is a plausible one, else its receipt. */
function timeOf(page: EventPage, data: JsonObject, receivedAt: number): number {
  const found = Object.hasOwn(data, page.at) ? data[page.at] : undefined
  const time = typeof found === 'string' && /^\d{13}$/.test(found) ? Number(found) : found
  const plausible =
    typeof time === 'number' && Number.isInteger(time) && time >= earliestMs && time <= receivedAt + dayMs
  return plausible ? time : receivedAt
}
