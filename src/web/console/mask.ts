/** What an event says, with what it says of a person covered. What is not known to be harmless is covered. */
import { isExactNumber, isObject, type Json, type JsonObject } from '../../lib/json.ts'

/** Drift's and Segment's own words. A text under another name may be anything, whatever the name says. */
const words =
  /^(type|event|eventType|messageId|anonymousId|timestamp|status|source|conferenceType|meetingSource|authorType|reason|orgId)$/
/** Numbers that name nobody by themselves: ids and times. */
const numbers = /^(id|\w+Ids?|\w+At|timestamp|slotStart|slotEnd|participants|(added|removed)Participants)$/
/** Of a message to Segment, at its top: what we add ourselves. Drift's own `context` holds addresses and places. */
const ours = ['context', 'integrations']

/** Takes the place of a value of so many signs. */
export class Covered {
  readonly length: number

  constructor(length: number) {
    this.length = length
  }
}

export type Masked = Exclude<Json, object> | Covered | readonly Masked[] | { readonly [name: string]: Masked }

export function mask(value: Json, name = ''): Masked {
  if (Array.isArray(value)) return value.map((one) => mask(one, name))
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mask(one, key)]))
  if (value === null || typeof value === 'boolean') return value
  if (isExactNumber(value)) return numbers.test(name) ? value.rawJSON : new Covered(value.rawJSON.length)
  return (typeof value === 'number' ? numbers : words).test(name) ? value : new Covered(String(value).length)
}

/** A message to Segment. */
export function maskMessage(message: JsonObject): Masked {
  const plain = Object.entries(message).filter(([name]) => ours.includes(name))
  return { ...(mask(message) as object), ...(Object.fromEntries(plain) as { [name: string]: Masked }) }
}
