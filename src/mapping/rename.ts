import { z } from 'zod'
import { ended, started } from '../events/live-chat.ts'
import { eventNameRefusal, fieldNameRefusal, nameSchema, snake, typeRefusal, untouchableIn } from './names.ts'
import {
  type Chosen,
  eachField,
  eachPrinted,
  fieldsOf,
  type KnownNames,
  option,
  type Refusal,
  withFields,
} from './option.ts'
import { usualPrefix } from './prefix.ts'

/** Other names for single events, properties and traits. */
export const rename = option({
  does: 'gives single events, properties and traits other names',
  schema: z.strictObject({
    /** By Drift's type. */
    events: z.record(nameSchema, nameSchema).optional(),
    /** By the name before any option. */
    fields: z.record(nameSchema, nameSchema).optional(),
  }),
  refusal: ({ events = {}, fields = {} }, all, known) =>
    partly('events', eventsRefusal(events, all, known)) ?? partly('fields', fieldsRefusal(fields, known)),
  adds: true,
  apply(mapped, { events = {}, fields = {} }) {
    const { call, page } = mapped
    const before = fieldsOf(call)
    const renamed = eachField(before, (name, value) => {
      const to = Object.hasOwn(fields, name) ? fields[name]! : name
      // An attribute of a contact may have the very name that another is to get: then both stay as they are.
      return [to !== name && to in before ? name : to, value]
    })
    const event = call.type === 'track' && Object.hasOwn(events, page.type) ? { event: events[page.type]! } : {}
    return { ...mapped, call: { ...withFields(call, renamed), ...event } as typeof call }
  },
  prints(printed, { events = {}, fields = {} }) {
    const { event, page, fields: before } = printed
    const name = event !== undefined && Object.hasOwn(events, page.type) ? { event: events[page.type]! } : {}
    const renamed = eachPrinted(before, (name, field) => {
      const to = Object.hasOwn(fields, name) ? fields[name]! : name
      return [to !== name && to in before ? name : to, field]
    })
    return { ...printed, ...name, fields: renamed }
  },
})

function partly(part: 'events' | 'fields', says: string | undefined): Refusal | undefined {
  return says === undefined ? undefined : { part, says }
}

function eventsRefusal(
  events: Readonly<Record<string, string>>,
  { prefix }: Chosen,
  { types, tracks }: KnownNames,
): string | undefined {
  const taken = new Set([started, ended, `${usualPrefix}connection_test`])
  const begins = [usualPrefix, ...(typeof prefix === 'string' ? [prefix] : [])]
  for (const [type, name] of Object.entries(events)) {
    const refusal = typeRefusal(type, types) ?? namelessRefusal(type, tracks) ?? eventNameRefusal(name)
    if (refusal) return refusal
    const isOthers = types.some((other) => other !== type && begins.some((begin) => name === `${begin}${other}`))
    if (taken.has(name) || isOthers) return `${JSON.stringify(name)} is the name of another event`
    taken.add(name)
  }
  return undefined
}

/** An Identify says who a person is, and has no name. */
function namelessRefusal(type: string, tracks: readonly string[]): string | undefined {
  return tracks.includes(type)
    ? undefined
    : `${type} is sent as an Identify call, which has no name: those with a name are ${tracks.join(', ')}`
}

function fieldsRefusal(renamed: Readonly<Record<string, string>>, { fields }: KnownNames): string | undefined {
  const untouched = untouchableIn(Object.keys(renamed), 'renamed')
  if (untouched) return untouched
  // Warehouses write two such names as one column.
  const taken = new Set(fields.map(snake))
  for (const to of Object.values(renamed)) {
    const refusal = fieldNameRefusal(to)
    if (refusal) return refusal
    if (taken.has(snake(to))) return `${JSON.stringify(to)} is the name of another property or trait`
    taken.add(snake(to))
  }
  return undefined
}
