/**
 * One pass over a JSON text before anything is built of it: says whether its structure is JSON's, counts what costs, and
 * picks out a few members.
 *
 * Each character is looked at once, those of numbers and escapes a few times, so a text of twice the length costs twice as
 * much. What stands within a string is not judged: JSON.parse does that much more quickly.
 */
import { safeCharacters } from './decimal.ts'

/** Nesting and size that every later step can walk without care; Drift's own webhooks nest four levels. */
export const depthMax = 32
export const valuesMax = 50_000
/** The largest number that a double holds has 309 digits; a longer one cannot be meant. */
export const numberCharactersMax = 400

/** What is too much for the steps that follow. The words are shown to people: see docs/errors.md. */
export type Excess = 'too_deep' | 'too_many_values' | 'number_too_long'

/** Where something stands in the text: `to` is behind its last character. */
export interface Span {
  from: number
  to: number
}

/** A member of the outermost object: how often it stands there and, where the first is a string or a number, its value. */
export interface Member {
  times: number
  value?: Span
}

export interface Survey {
  /** `invalid_json`: what follows is only what was found up to there. Without it, only strings can still be wrong. */
  problem?: 'invalid_json' | Excess
  /** Keys of all objects: fewer after parsing means that one stood twice. */
  keys: number
  /** Numbers that may have more digits than a double gives back. */
  longNumbers: readonly Span[]
  /** The wanted members that were found, if the text is an object. */
  members: ReadonlyMap<string, Member>
}

/** What may come next beside white space; `end` is the bracket that closes, or the end of the text. */
type Next = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end'

/** Counts what is in a text, and looks for the `wanted` members of the outermost object, named in plain letters. */
export function survey(text: string, wanted: readonly string[] = []): Survey {
  const members = new Map<string, Member>()
  const longNumbers: Span[] = []
  /** For each bracket that is open here, the one that closes it. */
  const open: number[] = []
  let [deepest, keys, values, longest] = [0, 0, 1, 0]
  let next: Next = 'value'
  /** The member whose value comes next. */
  let awaited: Member | undefined
  const found = (problem?: Survey['problem']): Survey => ({ ...(problem && { problem }), keys, longNumbers, members })

  // Without a function in it that uses `at`: each round would then cost half as much again.
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    switch (code) {
      case 0x20:
      case 0x0a:
      case 0x0d:
      case 0x09:
        break
      case 0x22: {
        const end = endOfString(text, at)
        if (end < 0) return found('invalid_json')
        if (next === 'key' || next === 'key or end') {
          keys++
          // mutant: reads a body again from its beginning at each of its keys
          if (open.length === 1) awaited = memberAt(text, at, end, wanted, members)
          next = 'colon'
        } else if (next === 'value' || next === 'value or end') {
          if (awaited) awaited.value = { from: at, to: end }
          awaited = undefined
          next = 'comma or end'
        } else return found('invalid_json')
        at = end - 1
        break
      }
      case 0x3a: // :
        if (next !== 'colon') return found('invalid_json')
        next = 'value'
        break
      case 0x2c: // ,
        if (next !== 'comma or end' || open.length === 0) return found('invalid_json')
        values++
        next = open[open.length - 1] === 0x7d ? 'key' : 'value'
        break
      case 0x7b: // {
      case 0x5b: // [
        if (next !== 'value' && next !== 'value or end') return found('invalid_json')
        values++
        // Each closing bracket stands two places behind its opening one.
        open.push(code + 2)
        if (open.length > deepest) deepest = open.length
        awaited = undefined
        next = code === 0x7b ? 'key or end' : 'value or end'
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (next === 'value' || next === 'key' || next === 'colon' || open.pop() !== code) return found('invalid_json')
        next = 'comma or end'
        break
      default: {
        if (next !== 'value' && next !== 'value or end') return found('invalid_json')
        const isNumber = code === 0x2d || isDigit(code)
        const plainEnd = isNumber ? endOfPlain(text, at) : endOfWord(text, at)
        const hasExponent = isNumber && (text.charCodeAt(plainEnd) | 0x20) === 0x65
        const end = hasExponent ? endOfExponent(text, plainEnd) : plainEnd
        if (end < 0) return found('invalid_json')
        if (isNumber) {
          const span = { from: at, to: end }
          if (end - at > longest) longest = end - at
          if (hasExponent || end - at > safeCharacters) longNumbers.push(span)
          if (awaited) awaited.value = span
        }
        awaited = undefined
        at = end - 1
        next = 'comma or end'
      }
    }
  }
  if (next !== 'comma or end' || open.length > 0) return found('invalid_json')
  if (deepest > depthMax) return found('too_deep')
  if (values > valuesMax) return found('too_many_values')
  // mutant: takes a number of any length
  return found(longest > numberCharactersMax ? 'number_too_long' : undefined)
}

/** Behind the closing quote of the string that opens at `start`; -1 where it does not close. */
export function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1)
  while (at > 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at < 0 ? -1 : at + 1
}

/** After an odd number of backslashes; the string's own quote bounds the way back. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1
  while (text.charCodeAt(at) === 0x5c) at--
  return (quote - 1 - at) % 2 === 1
}

function endOfWord(text: string, start: number): number {
  const word = ['true', 'false', 'null'].find((one) => text.startsWith(one, start))
  return word === undefined ? -1 : start + word.length
}

/** Behind the number that begins here, its exponent left out; -1 where it is not a JSON number. */
function endOfPlain(text: string, start: number): number {
  const first = text.charCodeAt(start) === 0x2d ? start + 1 : start
  const whole = text.charCodeAt(first) === 0x30 ? first + 1 : endOfDigits(text, first)
  return whole > 0 && text.charCodeAt(whole) === 0x2e ? endOfDigits(text, whole + 1) : whole
}

/** Behind the exponent that begins with the `e` here; -1 where it has no digits. */
function endOfExponent(text: string, start: number): number {
  const sign = text.charCodeAt(start + 1)
  return endOfDigits(text, sign === 0x2b || sign === 0x2d ? start + 2 : start + 1)
}

/** Behind the digits that begin here; -1 where there are none. */
function endOfDigits(text: string, start: number): number {
  let at = start
  while (isDigit(text.charCodeAt(at))) at++
  return at === start ? -1 : at
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Counts one more of the wanted member that this key names; gives it back the first time, whose value counts. */
function memberAt(
  text: string,
  from: number,
  to: number,
  wanted: readonly string[],
  members: Map<string, Member>,
): Member | undefined {
  const name = wanted.find((one) => isNamed(text, from, to, one))
  if (name === undefined) return undefined
  const known = members.get(name)
  if (known) known.times++
  else members.set(name, { times: 1 })
  return known ? undefined : members.get(name)
}

/** Whether the string between these places says this name; plain letters have one other spelling in JSON, `\uXXXX`. */
function isNamed(text: string, from: number, to: number, name: string): boolean {
  let at = from + 1
  for (let index = 0; index < name.length; index++) {
    const isEscape = text.charCodeAt(at) === 0x5c && text.charCodeAt(at + 1) === 0x75
    const code = isEscape ? Number.parseInt(text.slice(at + 2, at + 6), 16) : text.charCodeAt(at)
    if (code !== name.charCodeAt(index)) return false
    at += isEscape ? 6 : 1
  }
  return at === to - 1
}
