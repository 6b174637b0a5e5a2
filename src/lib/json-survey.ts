/**
 * One pass over the bytes of a JSON text before anything is built of it: counts what costs, and picks out a few members.
 *
 * Every byte is looked at once, whatever the text says, so a body of twice the length costs twice as much. Text that is
 * not JSON gets an answer too, which means nothing: JSON.parse decides about that afterwards.
 */
import { safeCharacters } from './decimal.ts'

/** Nesting and size that every later step can walk without care; Drift's own webhooks nest four levels. */
export const depthMax = 32
export const valuesMax = 50_000
/** The largest number that a double holds has 309 digits; longer ones say nothing that anybody could use. */
export const numberCharactersMax = 400

/** What is too much for the steps that follow. The words are shown to people: see docs/errors.md. */
export type Excess = 'too_deep' | 'too_many_values' | 'number_too_long'

/** Where something stands in the bytes: `to` is behind its last byte. */
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
  excess?: Excess
  /** Keys of all objects: fewer after parsing means that one stood twice. */
  keys: number
  /** Numbers that may have more digits than a double gives back. */
  longNumbers: readonly Span[]
  /** The wanted members that were found, if the text is an object. */
  members: ReadonlyMap<string, Member>
}

/** Counts what is in the text of these bytes, and looks for the `wanted` members of the outermost object. */
export function survey(bytes: Uint8Array, wanted: readonly string[] = []): Survey {
  const members = new Map<string, Member>()
  const longNumbers: Span[] = []
  let [depth, deepest, keys, values, longestNumber] = [0, 0, 0, 1, 0]
  let isInObject = false
  /** Where the last string stands: before a colon it was a key. */
  let stringStart = 0
  let stringEnd = 0
  /** The member whose value comes next. */
  let awaited: Member | undefined

  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case 0x22: {
        stringStart = at
        at = endOfString(bytes, at)
        stringEnd = at + 1
        if (awaited) awaited.value = { from: stringStart, to: stringEnd }
        awaited = undefined
        break
      }
      case 0x3a: // :
        keys++
        awaited = undefined
        if (depth === 1 && isInObject) {
          const name = wanted.find((one) => isNamed(bytes, stringStart, stringEnd, one))
          if (name !== undefined) awaited = found(members, name)
          // The next colon has a key of its own, or this is not JSON.
          stringStart = stringEnd = 0
        }
        break
      case 0x2c: // ,
        values++
        awaited = undefined
        break
      case 0x7b: // {
      case 0x5b: // [
        if (depth === 0) isInObject = bytes[at] === 0x7b
        values++
        depth++
        if (depth > deepest) deepest = depth
        awaited = undefined
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case 0x2d: // -
      case 0x30:
      case 0x31:
      case 0x32:
      case 0x33:
      case 0x34:
      case 0x35:
      case 0x36:
      case 0x37:
      case 0x38:
      case 0x39: {
        const start = at
        let hasExponent = false
        for (at++; isOfNumber(bytes[at]); at++) hasExponent ||= (bytes[at]! | 0x20) === 0x65
        const span = { from: start, to: at }
        if (at - start > longestNumber) longestNumber = at - start
        if (at - start > safeCharacters || hasExponent) longNumbers.push(span)
        if (awaited) awaited.value = span
        awaited = undefined
        at--
        break
      }
    }
  }
  const excess =
    deepest > depthMax
      ? 'too_deep'
      : values > valuesMax
        ? 'too_many_values'
        : longestNumber > numberCharactersMax
          ? 'number_too_long'
          : undefined
  return { ...(excess ? { excess } : {}), keys, longNumbers, members }
}

/** Counts one more of this name; gives it back where it is the first, whose value counts. */
function found(members: Map<string, Member>, name: string): Member | undefined {
  const known = members.get(name)
  if (known) {
    known.times++
    return undefined
  }
  const member: Member = { times: 1 }
  members.set(name, member)
  return member
}

/** Whether the string that stands here, quotes and escapes included, says this name of plain letters. */
function isNamed(bytes: Uint8Array, from: number, to: number, name: string): boolean {
  let at = from + 1
  for (let index = 0; index < name.length; index++) {
    if (bytes[at] !== 0x5c) {
      if (bytes[at++] !== name.charCodeAt(index)) return false
    } else {
      const code = bytes[at + 1] === 0x75 ? bytes.subarray(at + 2, at + 6) : undefined
      if (code === undefined || Number.parseInt(String.fromCharCode(...code), 16) !== name.charCodeAt(index))
        return false
      at += 6
    }
  }
  return at === to - 1
}

/** The closing quote of the string that opens at `start`, or the end of the text where it does not close. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1
  return Math.min(at, bytes.length)
}

function isOfNumber(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x2b || byte === 0x2d || (byte | 0x20) === 0x65
}
