/** Which field of a webhook became which field of the Segment call: found by their values, for people to look at. */
import { isExactNumber, isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { Call } from '../../segment/call.ts'
import { Covered, type Masked } from './mask.ts'

/** One value of a payload: where it stands, and by which name. */
export interface Field {
  /** Such as `context.location.city` or `diff[0].updated`. */
  path: string
  name: string
  value: Json
}

/** `lookup`: what Drift answered when it was asked. */
export interface Source {
  of: 'event' | 'lookup'
  field: Field
}

export interface Traced {
  /** Each field that is sent; without a source where this service has added it. */
  sent: { field: Field; from?: Source }[]
  /** Fields of the webhook that are not sent. */
  left: Field[]
}

/** `sent`: undefined until the call is known. */
export function trace(received: Json, sent: Call | undefined, learnt?: Json): Traced {
  const sources: Source[] = [
    ...fieldsOf(received).map((field) => ({ of: 'event' as const, field })),
    ...(learnt === undefined ? [] : fieldsOf(learnt).map((field) => ({ of: 'lookup' as const, field }))),
  ]
  const used = new Set<Source>()
  const traced = fieldsOf(sent as unknown as JsonObject | undefined).map((field) => {
    const from = sourceOf(field, sources, used)
    if (from) used.add(from)
    return { field, ...(from ? { from } : {}) }
  })
  const left = sources.filter((source) => source.of === 'event' && !used.has(source)).map(({ field }) => field)
  return { sent: traced, left }
}

/** What this service writes itself: a value that is the same somewhere in the webhook is so by chance. */
const ours = /^(type|messageId|context|integrations)(\.|$)/

function sourceOf(field: Field, sources: readonly Source[], used: ReadonlySet<Source>): Source | undefined {
  if (ours.test(field.path)) return undefined
  const text = textOf(field.value)
  const isTime = field.path === 'timestamp'
  const equal = sources.filter(
    ({ field: { value, path } }) => path !== 'type' && (isTime ? timeOf(value) === text : textOf(value) === text),
  )
  const rank = (source: Source) =>
    (source.field.name === field.name ? 0 : 4) + (used.has(source) ? 2 : 0) + (source.of === 'event' ? 0 : 1)
  const [best] = equal.sort((one, other) => rank(one) - rank(other))
  if (!best) return undefined
  // Ids and times keep their name or say whose they are; another value under another name may be equal by chance.
  const isAlike = best.field.name === field.name || isTime || /contactId|anonymousId|phone/i.test(field.name)
  return isAlike ? best : undefined
}

function timeOf(value: Json): string | undefined {
  const ms = typeof value === 'string' ? Number(value) : value
  if (typeof ms !== 'number' || !Number.isSafeInteger(ms) || Math.abs(ms) > 8.64e15) return undefined
  return new Date(ms).toISOString()
}

/** Numbers and their digits are one: an id may come as either. */
function textOf(value: Json): string {
  if (isExactNumber(value)) return value.rawJSON
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** More fields than a page shows side by side. */
export const fieldsMax = 400

/** Its values, those of objects one by one; a list of plain values is one. */
export function fieldsOf(value: Json | undefined): Field[] {
  const fields: Field[] = []
  walk(value, '', '', fields)
  return fields
}

/** The values at the same paths, with what is covered. */
export function shownAt(masked: Json | Masked | undefined): ReadonlyMap<string, Json | Masked> {
  const fields: Field[] = []
  // What is covered stands where a plain value stood.
  walk(masked as Json | undefined, '', '', fields)
  return new Map(fields.map(({ path, value }) => [path, value]))
}

/** Has values of its own inside. */
function isOpen(value: Json): boolean {
  return Array.isArray(value) || (isObject(value) && !isExactNumber(value) && !((value as unknown) instanceof Covered))
}

function walk(value: Json | undefined, path: string, name: string, into: Field[]): void {
  if (value === undefined || into.length >= fieldsMax) return
  if (Array.isArray(value) && value.some((one) => isOpen(one as Json))) {
    for (const [at, one] of value.entries()) walk(one as Json, `${path}[${at}]`, name, into)
  } else if (!Array.isArray(value) && isOpen(value) && Object.keys(value as object).length > 0) {
    const named = changedAttribute(value as JsonObject)
    for (const [key, one] of Object.entries(value as JsonObject))
      walk(one, path === '' ? key : `${path}.${key}`, key === 'updated' && named ? named : key, into)
  } else if (path !== '') into.push({ path, name, value })
}

/** An entry of a contact update says in `name` what its `updated` is. */
function changedAttribute(value: JsonObject): string | undefined {
  return typeof value.name === 'string' && 'updated' in value ? value.name.replace(/^attributes\./, '') : undefined
}
