/** What an event page says, and the few words it is written in. A page is one Drift event: see CONTRIBUTING. */
import { z } from 'zod'
import { type ExactNumber, isExactNumber, type Json, type JsonObject } from '../lib/json.ts'
import type { LiveChat } from './live-chat.ts'

/** A Drift id in digits: a positive integer of at most 19 digits (Drift's ids are int64). */
export type Id = string

/** Whose event it is: the contact itself, or the conversation that Drift must be asked about. */
export type Whose = { contactId: Id } | { conversationId: Id }

/** What was learnt before translating. `conversation` is Drift's answer, there when the page asked for it. */
export interface Known {
  contactId: Id
  conversation?: JsonObject
}

/** What Drift lists, or has of each contact that is named in its lists. */
export type Listed = 'conversations' | 'meetings' | 'contacts'

export interface EventPage {
  /** Drift's name of the event; the same as the file's. */
  readonly type: string
  /** When Drift sends it, in one sentence for the events table. */
  readonly when: string
  readonly call: 'track' | 'identify'
  /** The documented shape of `data`: an allow-list. What is not named here is never sent. */
  readonly data: z.ZodObject
  /** Where the contactId comes from, in words, for the events table. */
  readonly from: string
  /** Where the time comes from: the name of a field of `data`, or `receipt`. */
  readonly at: string
  /**
   * The field whose time stands before the identity of each of these events; `at`, unless said. Set it to what `at` was
   * before you change `at`: else what came before the change and comes again after it is another event.
   */
  readonly identityAt?: string
  /** The names of what is sent beside contactId; `attributes`: whatever attributes of the contact Drift names. */
  readonly sends: readonly string[] | 'attributes'
  /** Which mapping this is, from 1 on: it grows whenever `fields` changes what an event becomes. */
  readonly mapping?: number
  /** What earlier mappings made of the same data, by their number: so that an event can be sent as it was then. */
  readonly earlier?: Readonly<Record<number, EventPage['fields']>>
  /** The documented type of what is sent under a name that `data` does not have. */
  readonly renamed?: Readonly<Record<string, z.ZodType>>
  /** Undefined when no usable contact or conversation is named: the event is then quarantined, never sent under another id. */
  whose(data: JsonObject): Whose | undefined
  /** True when Drift's whole conversation is needed, so that it is asked for even if the contact is known. */
  needsConversation?(data: JsonObject): boolean
  /** The field of `data` with the id of the conversation that this contact began: remembered, so that Drift need not be asked. */
  readonly starts?: string
  /** Properties that Segment's warehouses drop, since a column of theirs has the name; each with its second name. */
  readonly safe?: Readonly<Record<string, string>>
  /** What it is in Segment's spec for live chat, said by its properties; undefined when it is not one of its events. */
  liveChat?(properties: Readonly<Record<string, Json>>): LiveChat | undefined
  /** The id or time that tells two of them apart. Undefined: equal ones are one event for ten minutes only. */
  distinct(data: JsonObject): Json | undefined
  /**
   * Its natural key: what comes with the same one is the same event, also when it was read at Drift and whatever else it
   * says. Undefined where it has none.
   */
  once?(data: JsonObject): string | undefined
  /** Which of Drift's lists has what these events are about: history reads it, and makes such events of it. */
  readonly listed?: Listed
  /** The properties or traits beside contactId. Undefined: there is nothing to say, the event is ignored. */
  fields(data: JsonObject, known: Known): Record<string, Json> | undefined
}

type Documented = 'integer' | 'number' | 'string' | 'boolean'

/**
 * One value that Drift documents as of this type. Another scalar is let through unchanged, as every field is: only an
 * object or an array where a value should stand is an unknown shape.
 */
export function value(type: Documented, description?: string) {
  return z
    .custom<Scalar>(isScalar)
    .optional()
    .meta({ documented: type, ...(description ? { description } : {}) })
}

type Scalar = null | boolean | number | string | ExactNumber

function isScalar(found: unknown): found is Scalar {
  return typeof found !== 'object' || found === null || isExactNumber(found)
}

export const id = () => value('integer', "one of Drift's ids")
export const time = () => value('integer', 'milliseconds since 1970')
export const text = () => value('string')
export const flag = () => value('boolean')

/** A list of Drift ids, such as participants. The first of another shape decides: zod would describe each of 50,000. */
export const ids = () =>
  z
    // mutant: judges every participant of a list that has another shape
    .custom<Scalar[]>((found) => Array.isArray(found) && found.every(isScalar))
    .nullish()
    .meta({ documented: 'integers' })

/** The digits of a usable Drift id, or undefined: positive, whole, at most 19 digits, never rounded. */
export function idOf(found: Json | undefined): Id | undefined {
  const digits = isExactNumber(found) ? found.rawJSON : typeof found === 'number' ? String(found) : found
  return typeof digits === 'string' && /^[1-9][0-9]{0,18}$/.test(digits) ? digits : undefined
}

/** The natural key of an event that Drift makes once of each of these things; undefined where it does not say of which. */
export function keyOf(type: string, of: Json | undefined): string | undefined {
  const digits = isExactNumber(of) ? of.rawJSON : typeof of === 'number' ? String(of) : of
  return typeof digits === 'string' && digits !== '' ? `${type}:${digits}` : undefined
}

/** The first of these that is a usable id. */
export function contactOr(contact: Json | undefined, conversation?: Json | undefined): Whose | undefined {
  const contactId = idOf(contact)
  if (contactId !== undefined) return { contactId }
  const conversationId = idOf(conversation)
  return conversationId === undefined ? undefined : { conversationId }
}

/** These fields of an object, in this order; what is absent or null is left out, empty strings stay. */
export function pick(from: JsonObject, names: readonly string[]): Record<string, Json> {
  const picked: Record<string, Json> = {}
  for (const name of names) {
    const found = Object.hasOwn(from, name) ? from[name] : undefined
    if (found !== undefined && found !== null) picked[name] = found
  }
  return picked
}

type Page = Omit<EventPage, 'call' | 'fields'>

/** A page that becomes a Track `Drift Source Event: <type>`. Without `fields` it sends what `sends` names of `data`. */
export function track(page: Page & { sends: readonly string[] } & Partial<Pick<EventPage, 'fields'>>): EventPage {
  return { fields: (data) => pick(data, page.sends), ...page, call: 'track' }
}

/** A page that becomes an Identify: `fields` gives the traits. */
export function identify(page: Page & Pick<EventPage, 'fields'>): EventPage {
  return { ...page, call: 'identify' }
}

/** The name of the Track: the prefix is that of Drift's own integration. */
export function eventName({ type }: Pick<EventPage, 'type'>): string {
  return `Drift Source Event: ${type}`
}

export function mappingOf({ mapping = 1 }: Pick<EventPage, 'mapping'>): number {
  return mapping
}

/** The fields as that mapping makes them; as today's does when it is not known any more. */
export function fieldsBy(page: EventPage, mapping: number, data: JsonObject, known: Known) {
  return (page.earlier?.[mapping] ?? page.fields)(data, known)
}
