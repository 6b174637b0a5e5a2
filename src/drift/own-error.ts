/**
 * Whether an answer is Drift's own word. Between Drift and us stand proxies, captive portals, gateways and firewalls, and
 * each answers 401, 403 and 404 of its own. Only JSON in one of the three shapes that Drift and the gateway in front of
 * it use may end a grant, an event or an account; every other answer passes by itself.
 */
import { isObject, type Json, type JsonObject, readText } from '../lib/json.ts'
import type { Answered } from '../lib/request.ts'

/**
 * The type of Drift's own error, in its word, such as `not_found` or `invalid_token`; undefined when the answer is not a
 * 4xx in one of these shapes:
 *
 * - `{ "errors": [{ "type", "message", "param"? }] }` (devdocs.drift.com, listing conversations)
 * - `{ "error": { "type", "message" } }` (Drift's own bulk export reads it)
 * - `{ "error": "word", "error_description": "…" }` (Kong's oauth2 plugin, which stands in front of Drift)
 */
export function ownErrorOf(answer: Answered): string | undefined {
  if (answer.failure !== undefined || answer.status < 400 || answer.status > 499) return undefined
  const body = objectOf(answer.body)
  if (body === undefined) return undefined
  const { error, errors, error_description: description } = body
  if (Array.isArray(errors)) return typeOf(errors[0])
  return typeof error === 'string' ? typeOf({ type: error, message: description ?? null }) : typeOf(error)
}

/** The object that an answer's body is, if it is JSON at all. */
export function objectOf(text: string): JsonObject | undefined {
  const reading = readText(text)
  return reading.ok && isObject(reading.value) ? reading.value : undefined
}

function typeOf(error: Json | undefined): string | undefined {
  if (!isObject(error) || typeof error.message !== 'string' || typeof error.type !== 'string') return undefined
  return /^[a-z][a-z0-9_]*$/.test(error.type) ? error.type : undefined
}
