/**
 * The one place where JSON from outside becomes values, and where a value becomes its canonical text.
 *
 * Why not JSON.parse alone: it silently rounds integers above 2^53, keeps the last of two equal keys, and takes a
 * million levels of nesting that later code cannot walk. `read` keeps every digit and names what it found.
 */
import { isUtf8 } from 'node:buffer'

/** A number whose digits a double cannot hold: JSON.stringify writes `rawJSON` as it stands. */
export interface ExactNumber {
  readonly rawJSON: string
}

export type Json = null | boolean | number | string | ExactNumber | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** What a reader may say about a text. The words are shown to people: see docs/errors.md. */
export type JsonProblem =
  | 'invalid_utf8'
  | 'invalid_json'
  | 'too_deep'
  | 'too_many_values'
  | 'duplicate_key'
  | 'number_out_of_range'

/** Nesting and size that every later step can walk without care; Drift's own webhooks nest four levels. */
export const depthMax = 32
export const valuesMax = 50_000

export type Reading =
  /** Every digit kept, every key once, within the limits. */
  | { ok: true; value: Json }
  /** `value` is there when the text is JSON at all: good enough to look for a token, not to be trusted further. */
  | { ok: false; problem: JsonProblem; value?: Json; topLevelKeys?: string[] }

interface JsonWithRaw {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
  parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json
}
/** Node 24 has JSON.rawJSON and the reviver's `context.source`; TypeScript's library does not name them yet. */
const exactJson = JSON as unknown as JsonWithRaw

/** Reads bytes as strict JSON. Never throws, never quotes the input. One leading byte order mark is passed over. */
export function read(bytes: Uint8Array): Reading {
  if (!isUtf8(bytes)) return { ok: false, problem: 'invalid_utf8' }
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start)
  return readText(buffer.toString('utf8'))
}

/** `read` for text that is already decoded. */
export function readText(text: string): Reading {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return { ok: false, problem: 'invalid_json' }
  }
  const seen = scan(text)
  const bad = (problem: JsonProblem): Reading => {
    const topLevelKeys: string[] = []
    scan(text, topLevelKeys)
    return { ok: false, problem, value, topLevelKeys }
  }
  if (seen.depth > depthMax) return bad('too_deep')
  if (seen.values > valuesMax) return bad('too_many_values')
  if (seen.inexact) {
    let outOfRange = false
    value = exactJson.parse(text, (_key, parsed, context) => {
      if (typeof parsed !== 'number' || context.source === undefined || isExact(context.source)) return parsed
      if (!Number.isFinite(parsed)) outOfRange = true
      return exactJson.rawJSON(context.source)
    })
    if (outOfRange) return { ...bad('number_out_of_range'), value: null } as Reading
  }
  if (countKeys(value) !== seen.keys) return bad('duplicate_key')
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

interface Scan {
  depth: number
  keys: number
  values: number
  inexact: boolean
}

/** One pass over text that JSON.parse has accepted: counts what JSON.parse forgets, and lists keys where asked to. */
function scan(text: string, topLevelKeys?: string[]): Scan {
  const seen: Scan = { depth: 0, keys: 0, values: 1, inexact: false }
  let depth = 0
  let stringStart = 0
  let stringEnd = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        stringStart = at
        at = endOfString(text, at)
        stringEnd = at + 1
        break
      }
      case 0x3a: // :
        seen.keys++
        if (depth === 1) topLevelKeys?.push(JSON.parse(text.slice(stringStart, stringEnd)) as string)
        break
      case 0x2c: // ,
        seen.values++
        break
      case 0x7b: // {
      case 0x5b: // [
        seen.values++
        depth++
        if (depth > seen.depth) seen.depth = depth
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
        const end = endOfNumber(text, at)
        // Fifteen characters are at most fifteen significant digits, which a double always gives back.
        if (end - at > 15 || hasExponent(text, at, end)) seen.inexact ||= !isExact(text.slice(at, end))
        at = end - 1
        break
      }
    }
  }
  return seen
}

function endOfString(text: string, start: number): number {
  let at = start
  do {
    at = text.indexOf('"', at + 1)
  } while (isEscaped(text, at))
  return at
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const isPart = (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d
    if (!isPart && code !== 0x65 && code !== 0x45) break
  }
  return at
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((text.charCodeAt(at) | 0x20) === 0x65) return true
  return false
}

/** True when the double that these digits become still says the same decimal number. */
function isExact(source: string): boolean {
  if (source.length <= 15 && !/[eE]/.test(source)) return true
  const value = Number(source)
  return Number.isFinite(value) && decimal(source) === decimal(String(value))
}

/** A decimal number as `sign digits e exponent`, without leading or trailing zeros: 1.50e2 and 150 give the same. */
function decimal(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = (whole + fraction).replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  if (trimmed === '') return '0'
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + (digits.length - trimmed.length)}`
}

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0)
  let count = 0
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key]!)
  return count
}
