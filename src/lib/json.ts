/**
 * The one place where JSON from outside becomes values, and where a value becomes its canonical text.
 *
 * Why not JSON.parse alone: it silently rounds integers above 2^53, keeps the last of two equal keys, and takes a
 * million levels of nesting that later code cannot walk. `readText` keeps every digit and names what it found.
 */
import { isUtf8 } from 'node:buffer'
import { isExact } from './decimal.ts'
import { build } from './json-build.ts'
import { type Excess, endOfString, type Survey, survey } from './json-survey.ts'

/** A number whose digits a double cannot hold: JSON.stringify writes `rawJSON` as it stands. */
export interface ExactNumber {
  readonly rawJSON: string
}

export type Json = null | boolean | number | string | ExactNumber | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** What a reader may say about a text. The words are shown to people: see docs/errors.md. */
export type JsonProblem = 'invalid_json' | Excess | 'duplicate_key' | 'number_out_of_range'

export type Reading =
  /** Every digit kept, every key once, within the limits. */
  | { ok: true; value: Json }
  /** `value` is there where only keys stand twice: good enough to be shown, not to be trusted further. */
  | { ok: false; problem: JsonProblem; value?: Json }

interface JsonWithRaw {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
}
/** Node 24 has JSON.rawJSON; TypeScript's library does not name it yet. */
const exactJson = JSON as unknown as JsonWithRaw

/** The text of these bytes, without the byte order mark that it may begin with; undefined when they are not UTF-8. */
export function textOf(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  return bytes.toString('utf8', start)
}

/**
 * Reads text as strict JSON. Never throws, never quotes the input, and builds nothing of what is too much. `surveyed`:
 * what a survey of this text has found, where the caller has made one already.
 */
export function readText(text: string, surveyed: Survey = survey(text)): Reading {
  const { problem, keys, longNumbers } = surveyed
  if (problem === 'invalid_json') return { ok: false, problem }
  const long = problem ? [] : longNumbers.map(({ from, to }) => text.slice(from, to))
  const isRounded = !long.every(isExact)
  // JSON.parse would build what is too much, and round what is too long.
  if ((problem || isRounded) && !areStringsSound(text)) return { ok: false, problem: 'invalid_json' }
  if (problem) return { ok: false, problem }
  if (!long.every((digits) => Number.isFinite(Number(digits)))) return { ok: false, problem: 'number_out_of_range' }
  const value = isRounded ? build(text, numberOf) : parsed(text)
  if (value === undefined) return { ok: false, problem: 'invalid_json' }
  if (countKeys(value) !== keys) return { ok: false, problem: 'duplicate_key', value }
  return { ok: true, value }
}

/** What may be a number that JSON.parse would round; it may be something else as well, such as a part of an address. */
const longNumber = /[\d.eE+-]{16}|[eE][+-]?\d{3}/

/**
 * Reads text that `canonical` wrote, and that cannot have been changed since, to what `readText` makes of it; undefined
 * when it is not JSON. Twice as quick, where no number in it is long.
 */
export function readChecked(text: string): Json | undefined {
  if (!longNumber.test(text)) return parsed(text)
  const reading = readText(text)
  return reading.ok ? reading.value : undefined
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** What JSON.parse would say of the strings of a text whose structure is JSON's, without building all of it. */
function areStringsSound(text: string): boolean {
  for (let from = text.indexOf('"'); from >= 0; ) {
    const to = endOfString(text, from)
    if (parsed(text.slice(from, to)) === undefined) return false
    from = text.indexOf('"', to)
  }
  return true
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return exactJson.isRawJSON(value)
}

/** The number that stands for these digits: a plain one when a double holds it, an exact one otherwise. */
export function numberOf(digits: string): number | ExactNumber {
  return isExact(digits) ? Number(digits) : exactJson.rawJSON(digits)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
}

/** Canonical text: keys sorted by code unit, no spaces. Equal values give equal text, whatever order they came in. */
export function canonical(value: Json): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isExactNumber(value)) return value.rawJSON
  if (!Array.isArray(value)) return `{${canonicalMembers(value, Object.keys(value))}}`
  let items = ''
  for (const item of value) items += `${items && ','}${canonical(item)}`
  return `[${items}]`
}

/** The canonical text of these members of an object, without its brackets. */
export function canonicalMembers(object: JsonObject, keys: string[]): string {
  let members = ''
  for (const key of keys.sort()) members += `${members && ','}${quoted(key)}:${canonical(object[key]!)}`
  return members
}

/** What JSON.stringify makes of a text. Most need no escape, and looking for one is quicker than calling it. */
function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are among what JSON escapes
const needsEscape = /[\u0000-\u001f"\\\ud800-\udfff]/

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return 0
  const values = Object.values(value)
  let count = Array.isArray(value) ? 0 : values.length
  for (const one of values) count += countKeys(one)
  return count
}
