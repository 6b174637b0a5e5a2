import type { Printed } from '../events/print.ts'
import { namesSchema, untouchableIn } from './names.ts'
import { eachField, eachPrinted, fieldsOf, type Mapped, option, withFields } from './option.ts'

/** Properties and traits that are left out, with what was made of them. */
export const drop = option({
  does: 'leaves properties and traits out',
  schema: namesSchema,
  refusal: (names) => untouchableIn(names, 'dropped'),
  apply: dropped,
  prints(printed, names) {
    const left = (fields: Printed['fields']) =>
      eachPrinted(fields, (name, field) =>
        names.includes(name) || names.includes(field.of) ? undefined : [name, field],
      )
    const { extra } = printed
    return {
      ...printed,
      fields: left(printed.fields),
      ...(extra ? { extra: { ...extra, fields: left(extra.fields) } } : {}),
    }
  },
})

/** A copy goes with what it is a copy of: what is dropped does not get out under another name. */
export function dropped(mapped: Mapped, names: readonly string[]): Mapped {
  const { call, copies, extra } = mapped
  const isGone = (name: string) => names.includes(name) || names.includes(copies[name] ?? name)
  const left = eachField(fieldsOf(call), (name, value) => (isGone(name) ? undefined : [name, value]))
  const rest = extra && {
    ...extra,
    properties: eachField(extra.properties, (name, value) =>
      names.includes(extra.madeOf[name] ?? '') ? undefined : [name, value],
    ),
  }
  return { ...mapped, call: withFields(call, left), ...(rest ? { extra: rest } : {}) }
}
