/**
 * Builds what a JSON text says, as JSON.parse does, and asks the caller what each number becomes. JSON.parse can be asked
 * too, by its reviver, but then takes three times as long for a body full of long numbers.
 */
import { endOfString } from './json-survey.ts'

export type Built<Numbers> = null | boolean | string | Numbers | Built<Numbers>[] | { [key: string]: Built<Numbers> }

/** For a text that JSON.parse takes and that a survey has found no deeper than is allowed: each level is a call. */
export function build<Numbers>(text: string, numberOf: (digits: string) => Numbers): Built<Numbers> {
  let at = 0
  return value()

  /** The next character that is not white space. */
  function next(): number {
    while (text.charCodeAt(at) <= 0x20) at++
    return text.charCodeAt(at)
  }

  function value(): Built<Numbers> {
    switch (next()) {
      case 0x22:
        return string()
      case 0x5b: // [
        return list()
      case 0x7b: // {
        return object()
      case 0x74: // true
        at += 4
        return true
      case 0x66: // false
        at += 5
        return false
      case 0x6e: // null
        at += 4
        return null
      default:
        return number()
    }
  }

  function string(): string {
    const end = endOfString(text, at)
    const quoted = text.slice(at, end)
    at = end
    return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  }

  function number(): Numbers {
    const start = at
    while (isOfNumber(text.charCodeAt(at))) at++
    return numberOf(text.slice(start, at))
  }

  function list(): Built<Numbers>[] {
    const items: Built<Numbers>[] = []
    at++
    while (next() !== 0x5d) {
      items.push(value())
      if (next() === 0x2c) at++
    }
    at++
    return items
  }

  function object(): { [key: string]: Built<Numbers> } {
    const members: { [key: string]: Built<Numbers> } = {}
    at++
    while (next() !== 0x7d) {
      const key = string()
      next()
      at++ // the colon
      const said = value()
      // Set as usual, this one would be the object's prototype.
      if (key === '__proto__') Object.defineProperty(members, key, { value: said, ...plain })
      else members[key] = said
      if (next() === 0x2c) at++
    }
    at++
    return members
  }
}

const plain = { writable: true, enumerable: true, configurable: true }

/** A digit, a sign, a point or an `e`. */
function isOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65
}
