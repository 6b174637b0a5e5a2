/** Reading what the widget says: nothing but what the table names, nothing that is not there. */
import type { PropertyTable } from './events.ts'
import { each, fieldOf } from './page.ts'

/** A contact id as Segment's anonymousId: its digits; undefined for what is not an id, or may have lost digits in a JavaScript number. */
export function contactOf(value: unknown): string | undefined {
  const digits = typeof value === 'string' || Number.isSafeInteger(value) ? String(value) : ''
  return /^[1-9]\d{0,18}$/.test(digits) ? digits : undefined
}

/** The properties of a Track. A field that is absent, empty or no plain value is left out; others stay as they are. */
export function propertiesOf(table: PropertyTable, data: unknown, omit: readonly string[]): Record<string, unknown> {
  const properties: Record<string, unknown> = {}
  each(table, ({ property, field, of }) => {
    const found = fieldOf(of ? fieldOf(data, of) : data, field)
    const value = property === 'contactId' ? contactNumber(found) : plain(found)
    if (value !== undefined && !each(omit, (name) => name === property)) properties[property] = value
  })
  return properties
}

function plain(value: unknown): string | number | boolean | undefined {
  const isPlain = Number.isFinite(value) || typeof value === 'boolean' || (typeof value === 'string' && value !== '')
  return isPlain ? (value as string | number | boolean) : undefined
}

/** A number, as in the events that Drift's webhooks bring; the digits themselves where a number cannot hold them. */
function contactNumber(value: unknown): number | string | undefined {
  const digits = contactOf(value)
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits
}
