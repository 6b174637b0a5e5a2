/**
 * The one place where JSON from outside becomes values, and where a value becomes its canonical text.
 *
 * Why not JSON.parse alone: it silently rounds integers above 2^53, keeps the last of two equal keys, and takes a
 * million levels of nesting that later code cannot walk. `read` keeps every digit and names what it found.
 */
import { isUtf8 } from 'node:buffer'
import { isExact } from './decimal.ts'
import { type Excess, type Span, type Survey, survey } from './json-survey.ts'

/** A number whose digits a double cannot hold: JSON.stringify writes `rawJSON` as it stands. */
export interface ExactNumber {
  readonly rawJSON: string
}

export type Json = null | boolean | number | string | ExactNumber | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** What a reader may say about a text. The words are shown to people: see docs/errors.md. */
export type JsonProblem = 'invalid_utf8' | 'invalid_json' | Excess | 'duplicate_key' | 'number_out_of_range'

export type Reading =
  /** Every digit kept, every key once, within the limits. */
  | { ok: true; value: Json }
  /** `value` is there when the text is JSON within the limits: good enough to be shown, not to be trusted further. */
  | { ok: false; problem: JsonProblem; value?: Json }

interface JsonWithRaw {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
  parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json
}
/** Node 24 has JSON.rawJSON and the reviver's `context.source`; TypeScript's library does not name them yet. */
const exactJson = JSON as unknown as JsonWithRaw

/**
 * Reads bytes as strict JSON. Never throws, never quotes the input. One leading byte order mark is passed over.
 * `surveyed`: what a survey of these bytes has found, where the caller has made one already.
 */
export function read(bytes: Buffer, surveyed: Survey = survey(bytes)): Reading {
  if (!isUtf8(bytes)) return { ok: false, problem: 'invalid_utf8' }
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  return readSurveyed(bytes, bytes.toString('utf8', start), surveyed)
}

/** `read` for text that is already decoded. */
export function readText(text: string): Reading {
  const bytes = Buffer.from(text)
  return readSurveyed(bytes, text, survey(bytes))
}

/** What a string or a number says that a survey has found in these bytes; undefined when it is not JSON. */
export function readSpan(bytes: Buffer, { from, to }: Span): Json | undefined {
  const text = bytes.toString('utf8', from, to)
  return text.startsWith('"') ? parsed(text) : valueIn(readText(text))
}

function valueIn(reading: Reading): Json | undefined {
  return reading.ok ? reading.value : undefined
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Nothing is built of what is too much. */
function readSurveyed(bytes: Buffer, text: string, { excess, keys, longNumbers }: Survey): Reading {
  if (excess) return { ok: false, problem: excess }
  let value = parsed(text)
  if (value === undefined) return { ok: false, problem: 'invalid_json' }
  if (longNumbers.some(({ from, to }) => !isExact(bytes.toString('latin1', from, to)))) {
    let outOfRange = false
    value = exactJson.parse(text, (_key, found, context) => {
      if (typeof found !== 'number' || context.source === undefined || isExact(context.source)) return found
      if (!Number.isFinite(found)) outOfRange = true
      return exactJson.rawJSON(context.source)
    })
    if (outOfRange) return { ok: false, problem: 'number_out_of_range', value: null }
  }
  if (countKeys(value) !== keys) return { ok: false, problem: 'duplicate_key', value }
  return { ok: true, value }
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
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return JSON.stringify(value)
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

/** What JSON.stringify makes of a text. Most need no escape, and looking for one is quicker than asking. */
function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are among what JSON escapes
const needsEscape = /[\u0000-\u001f"\\\ud800-\udfff]/

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0)
  let count = 0
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key]!)
  return count
}
