/** What an option of a destination is: one small pure function over the call that an event becomes. See docs/mapping.md. */
import type { z } from 'zod'
import type { EventPage } from '../events/define.ts'
import type { Field, Printed } from '../events/print.ts'
import type { ExactNumber, Json } from '../lib/json.ts'
import type { Call } from '../segment/call.ts'

/** Attributes of a Drift contact, by name; only those that some option takes. */
export type Attributes = Readonly<Record<string, Json>>

/** A second event that goes with the first: its own name and properties; whose it is, and when, is the first one's. */
export interface Extra {
  event: string
  properties: Record<string, Json>
  /** The property of the first event that each of these was made of. */
  madeOf: Readonly<Record<string, string>>
}

/** A call to which the options are applied, one after the other. Each gives a new call and never changes what it was given. */
export interface Mapped {
  /** What is known of its events. */
  readonly page: EventPage
  readonly call: Call
  readonly extra?: Extra
  /** Properties that an option has added, each with the one that it is a copy of. */
  readonly copies: Readonly<Record<string, string>>
  /** What is known of the contact; undefined where it was not looked up, or could not be. */
  readonly attributes: Attributes | undefined
}

/** The destination does not get the event; it is kept, so that it can be sent again. */
export interface LeftOut {
  readonly leftOut: 'filtered' | 'no_consent'
}

export type Outcome = Mapped | LeftOut

/** Whatever options a destination has, by name. */
export type Chosen = Readonly<Record<string, unknown>>

/** What there is before any option. */
export interface KnownNames {
  /** Drift's types of the events. */
  readonly types: readonly string[]
  /** Those of them whose calls have a name: an Identify has none. */
  readonly tracks: readonly string[]
  /** Properties and traits. */
  readonly fields: readonly string[]
}

/** Why a setting cannot be saved, in words that name what is wrong; `part`: of which part of it, where it has some. */
export type Refusal = string | { readonly part: string; readonly says: string }

export interface Option<Setting = unknown> {
  /** What is stored for it. An option that is not there is off. */
  readonly schema: z.ZodType<Setting>
  /** What people read of it: one phrase, in the list of options. */
  readonly does: string
  /** The attributes of the contact that it takes: they are looked up at Drift before the event is sent. */
  takes?(setting: Setting): readonly string[]
  /** Undefined when it can be saved. */
  refusal?(setting: Setting, all: Chosen, known: KnownNames): Refusal | undefined
  apply(mapped: Mapped, setting: Setting, all: Chosen): Outcome
  /** The same of the event as it is printed for a tracking plan; undefined when it is never sent. Without it: no change. */
  prints?(printed: Printed, setting: Setting): Printed | undefined
  /** True for one that can make a call longer: where the call then is too large, it is left off, or does as `shorter` says. */
  readonly adds?: true
  /** What it does instead where its result is too large; without it the option is left off. */
  shorter?(mapped: Mapped, setting: Setting): Outcome
}

/** An option with its own setting's type, as the table takes it. */
export function option<Setting>(made: Option<Setting>): Option<Setting> {
  return made
}

export function isLeftOut<Other extends object>(outcome: Other | LeftOut): outcome is LeftOut {
  return 'leftOut' in outcome
}

/** The properties of a Track, the traits of an Identify. */
export function fieldsOf(call: Call): Record<string, Json> {
  return call.type === 'track' ? call.properties : call.traits
}

/** The same call with other properties or traits. */
export function withFields(call: Call, fields: Record<string, Json>): Call {
  return call.type === 'track' ? { ...call, properties: fields } : { ...call, traits: fields }
}

/** No prototype: a trait may have any name at all, `__proto__` among them. */
function emptyFields(): Record<string, Json> {
  return Object.create(null)
}

/** A new object with these fields, each given another name and value, or left out (undefined), in the same order. */
export function eachField(
  fields: Readonly<Record<string, Json>>,
  change: (name: string, value: Json) => readonly [string, Json] | undefined,
): Record<string, Json> {
  const changed = emptyFields()
  for (const [name, value] of Object.entries(fields)) {
    const one = change(name, value)
    if (one) changed[one[0]] = one[1]
  }
  return changed
}

/** The same of fields as they are printed. */
export function eachPrinted(
  fields: Printed['fields'],
  change: (name: string, field: Field) => readonly [string, Field] | undefined,
): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const one = change(name, field)
      return one ? [one] : []
    }),
  )
}

/** The name of an attribute or property, as options name them. */
export const nameMax = 100

/** The text of a scalar, a number by its digits; undefined for anything else. */
export function textOfScalar(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const digits = (value as ExactNumber | null | undefined)?.rawJSON
  return typeof digits === 'string' && !Array.isArray(value) && JSON.stringify(value) === digits ? digits : undefined
}
