import { createHash } from 'node:crypto'
import type { Field, Printed } from '../events/print.ts'
import type { Json } from '../lib/json.ts'
import { dropped } from './drop.ts'
import { namesSchema, untouchableIn } from './names.ts'
import {
  type Chosen,
  eachField,
  eachPrinted,
  fieldsOf,
  type Mapped,
  option,
  textOfScalar,
  withFields,
} from './option.ts'

/** Values as SHA-256, as advertising tools expect e-mail addresses: trimmed, lower case, hexadecimal. */
export const hash = option({
  does: 'sends properties and traits as SHA-256',
  schema: namesSchema,
  refusal: (names) => untouchableIn(names, 'hashed'),
  adds: true,
  apply: hashed,
  /** What should be hashed never goes out as it is: where the hashes are too long, the values are left out. */
  shorter: (mapped, names) => dropped(mapped, names),
  prints(printed, names) {
    const hashed = (fields: Printed['fields']) =>
      eachPrinted(fields, (name, field) => [
        name,
        names.includes(name) || names.includes(field.of) ? digest(field) : field,
      ])
    const { extra } = printed
    return {
      ...printed,
      fields: hashed(printed.fields),
      ...(extra ? { extra: { ...extra, fields: hashed(extra.fields) } } : {}),
    }
  },
})

function digest({ schema, of }: Field): Field {
  const isScalar = schema.type !== 'object' && schema.type !== 'array'
  return { schema: isScalar ? { type: 'string', description: 'SHA-256, in lower-case hexadecimal' } : schema, of }
}

function hashed(mapped: Mapped, names: readonly string[], all: Chosen): Mapped {
  const { call, copies, extra } = mapped
  const isHashed = (name: string) => names.includes(name) || names.includes(copies[name] ?? name)
  const fields = eachField(fieldsOf(call), (name, value) => [name, isHashed(name) ? hashOf(value) : value])
  const other = extra && {
    ...extra,
    properties: eachField(extra.properties, (name, value) => [
      name,
      names.includes(extra.madeOf[name] ?? '') ? hashOf(value) : value,
    ]),
  }
  const from = (all.userId as { attribute?: string } | undefined)?.attribute
  // mutant: says in the userId what it hashes in the traits
  const isOwn = call.userId !== undefined && from !== undefined && names.includes(from)
  return {
    ...mapped,
    call: { ...withFields(call, fields), ...(isOwn ? { userId: sha256(call.userId!) } : {}) },
    ...(other ? { extra: other } : {}),
  }
}

/** Null, empty and what is not a scalar stay as they are. */
function hashOf(value: Json): Json {
  const text = textOfScalar(value)
  return text === undefined || text.trim() === '' ? value : sha256(text)
}

/** A number by its digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text.trim().toLowerCase(), 'utf8').digest('hex')
}
