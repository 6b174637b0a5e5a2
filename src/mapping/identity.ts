/** What may stand for a person in Segment: judged alike for `userId` and `anonymousId`. */
import { isExactNumber, type Json } from '../lib/json.ts'

/** The attribute that the browser bridge can set, and Drift keeps with the contact. */
export const anonymousAttribute = 'segment_anonymous_id'
/** The customer's own id of the person, which Drift keeps with the contact. */
export const externalAttribute = 'externalId'

/** What an admin must type before an attribute that visitors can set says who a person is. */
export const confirmation = 'visitors can type what they like there'

export function isConfirmed(typed: string | undefined): boolean {
  return typed?.trim().toLowerCase().replace(/\.$/, '') === confirmation
}

/**
 * The id that an attribute's value gives: a whole number by its digits, or a string of 1 to 255 printable characters.
 * Never `0`, `null` or `undefined`: Segment's identity resolution would join all who have one of them.
 */
export function identityOf(value: Json | undefined): string | undefined {
  const id = isExactNumber(value) ? value.rawJSON : typeof value === 'number' ? wholeDigits(value) : value
  if (typeof id !== 'string') return undefined
  if (isExactNumber(value) && !/^-?\d+$/.test(id)) return undefined
  const isPrintable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,255}$/u.test(id) && id.length <= 255 && id.trim() !== ''
  // mutant: takes a text that stands for no person for an id
  return isPrintable && !['0', 'null', 'undefined'].includes(id.trim().toLowerCase()) ? id : undefined
}

function wholeDigits(value: number): string | undefined {
  return Number.isInteger(value) ? BigInt(value).toString() : undefined
}
