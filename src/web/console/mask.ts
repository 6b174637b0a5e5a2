/** What an event says, with what it says of a person covered. What is not known to be harmless is covered. */
import { isExactNumber, isObject, type Json, type JsonObject } from '../../lib/json.ts'

/** Drift's and Segment's own words. A text under another name may be anything, whatever the name says. */
const words =
  /^(type|event|eventType|messageId|anonymousId|timestamp|status|source|conferenceType|meetingSource|authorType|reason|orgId)$/
/** What they look like: a sentence or an address is none, under whichever name. */
const word = /^(Drift Source Event: )?[\w.:-]{0,100}$/
/** Numbers that do not name a person by themselves: ids and times. */
const numbers = /^(id|\w+Ids?|\w+At|timestamp|slotStart|slotEnd|participants|(added|removed)Participants)$/
/** What is in these is a person's own, under names that their site has chosen. */
const personal = /^(diff|attributes|traits)$/
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
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, (personal.test(key) ? cover : mask)(one, key)]),
    )
  if (value === null || typeof value === 'boolean') return value
  if (isExactNumber(value)) return numbers.test(name) ? value.rawJSON : cover(value)
  if (typeof value === 'number') return numbers.test(name) ? value : cover(value)
  // Our own id for the person, as digits too; such text under another id may be a phone number.
  if (name === 'contactId' && /^\d{1,19}$/.test(value)) return value
  return words.test(name) && word.test(value) ? value : cover(value)
}

/** All of it but our own id for the person. */
function cover(value: Json, name = ''): Masked {
  if (name === 'contactId') return mask(value, name)
  if (Array.isArray(value)) return value.map((one) => cover(one))
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cover(one, key)]))
  if (value === null) return value
  return new Covered(isExactNumber(value) ? value.rawJSON.length : String(value).length)
}

/** A message to Segment. */
export function maskMessage(message: JsonObject): Masked {
  const plain = Object.entries(message).filter(([name]) => ours.includes(name))
  return { ...(mask(message) as object), ...(Object.fromEntries(plain) as { [name: string]: Masked }) }
}
