/** Which names an option may give, take or leave out. */
import { z } from 'zod'
import { nameMax } from './option.ts'

/** What no option drops, hashes or renames: Segment needs these to say whose an event is, and that it came once. */
export const untouchable: readonly string[] = ['contactId', 'messageId', 'anonymousId']

/**
 * Columns that Segment's warehouses have of their own: a property of the same name in snake case is discarded there
 * ("Segment discards properties with the same name as the reserved column name", segment.com/docs/connections/storage/warehouses/schema).
 */
const reservedColumns: ReadonlySet<string> = new Set(
  `id user_id anonymous_id message_id event event_text received_at sent_at timestamp original_timestamp uuid uuid_ts`.split(
    ' ',
  ),
)

/** Names that are more than a name to JavaScript, which many of Segment's destinations run. */
const unsafe: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', 'toString', 'valueOf'])

/** An attribute, a property or a trait, as it is called before any option. */
export const nameSchema = z.string().min(1).max(nameMax)
export const namesSchema = z.array(nameSchema).min(1).max(400)
/** What people may list; what waits is sent with the names of two such lists, see `stricter` in versions.ts. */
const namesMax = 200

/** Why this is not the type of an event, with those that there are; undefined when it is. */
export function typeRefusal(type: string, types: readonly string[]): string | undefined {
  return types.includes(type) ? undefined : `Drift sends no event ${shown(type)}; it sends ${types.join(', ')}`
}

/** Why no option may touch these, naming the first that is wrong; undefined when it may. */
export function untouchableIn(names: readonly string[], would: string): string | undefined {
  if (names.length > namesMax) return `more than ${namesMax} names cannot be ${would}`
  const found = names.find((name) => untouchable.includes(name))
  return found === undefined ? undefined : `${found} cannot be ${would}`
}

/** Why a property or trait cannot be called so; undefined when it can. */
export function fieldNameRefusal(name: string): string | undefined {
  if (untouchable.includes(name)) return `${name} is a name of its own in every event`
  if (unsafe.has(name)) return `${shown(name)} is not a safe name`
  if (!/^[A-Za-z0-9_$][A-Za-z0-9_$ .:-]*$/.test(name) || name.endsWith(' '))
    return `${shown(name)} is not a safe name: letters, digits, spaces and _ . : - are`
  const column = snake(name)
  if (reservedColumns.has(column) || column.startsWith('context_'))
    return `${shown(name)} is reserved: Segment's warehouses have a column of that name and drop the property`
  return undefined
}

/** Why an event cannot be called so; undefined when it can. */
export function eventNameRefusal(name: string): string | undefined {
  if (unsafe.has(name)) return `${shown(name)} is not a safe name`
  if (!/^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(name) || name.trim() !== name || name === '')
    return `${shown(name)} is not a safe name for an event`
  return undefined
}

/** As warehouses write a name: `userId` and `User ID` are `user_id`. */
export function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase()
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, nameMax))
}
