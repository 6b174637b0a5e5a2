/**
 * Drift's lists: what is asked, and what an answer means. Judging needs no network, takes any shape, and never throws.
 *
 * Nothing of an answer is followed: of the address of a next page only its token is taken, since a request to that
 * address would hand it the access token.
 */
import { isExactNumber, isObject, type Json, type JsonObject, numberOf } from '../lib/json.ts'
import { type Answered, answerTooLarge, type Outgoing, unmakeable } from '../lib/request.ts'
import { objectOf, ownErrorOf } from './own-error.ts'

/** Most records of a page that Drift gives (devdocs.drift.com, list conversations). */
export const pageMax = 100
/** Most meetings of one answer, and how far back there are any (devdocs.drift.com, meeting model). */
export const meetingsMax = 1_000
export const meetingsDays = 30
/** Shorter than the lease of a job: a process that takes the job over meets no request of the one before. */
const deadlineMs = 10_000

/** Where a list goes on, as Drift has said it: under which name, and the token. */
export interface Next {
  by: 'page_token' | 'next'
  token: string
}

export type ListAnswer =
  /** `records`: whatever stood in the list. `next`: undefined on the last page. */
  | { is: 'page'; records: Json[]; next?: Next }
  /** Drift itself does not accept the access token (any more). */
  | { is: 'unauthorised' }
  /** Drift itself says that the grant does not reach that far. */
  | { is: 'forbidden' }
  /** A 401 or 403 that is not Drift's own. */
  | { is: 'unclear'; reason: string }
  /** The stored token is not one that a request can carry. */
  | { is: 'unmakeable' }
  /** Drift itself does not take what was asked, such as the token of a page that it has forgotten. */
  | { is: 'refused'; reason: string }
  /** The answer has more bytes than are read: a request for less may help. */
  | { is: 'too_large' }
  | { is: 'later'; reason: string; retryAfter?: string }

export function conversationsRequest(apiUrl: string, accessToken: string, limit: number, next?: Next): Outgoing {
  const query = new URLSearchParams({ limit: String(limit), ...(next ? { [next.by]: next.token } : {}) })
  return authorized(`${apiUrl}/conversations/list?${query}`, accessToken)
}

/** Meetings whose slot begins in this time, in milliseconds since 1970, both ends included. */
export function meetingsRequest(apiUrl: string, accessToken: string, from: number, to: number): Outgoing {
  const query = new URLSearchParams({ min_start_time: String(from), max_start_time: String(to) })
  return authorized(`${apiUrl}/users/meetings/org?${query}`, accessToken)
}

/** How many conversations were updated on these days, both included, as `2025-06-01`. At most 60 calls a minute. */
export function reportRequest(apiUrl: string, accessToken: string, from: string, to: string): Outgoing {
  const body = { filters: [{ property: 'updatedAt', operation: 'BETWEEN', values: [from, to] }], metrics: [] }
  const { headers, ...rest } = authorized(`${apiUrl}/reports/conversations`, accessToken)
  return {
    ...rest,
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

function authorized(url: string, accessToken: string): Outgoing {
  const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
  return { method: 'GET', url, headers, deadlineMs }
}

export function judgeList(answer: Answered): ListAnswer {
  if (answer.failure !== undefined) return failed(answer.failure)
  const refused = refusalOf(answer)
  if (refused) return refused
  const body = objectOf(answer.body)
  if (!body || !Array.isArray(body.data)) return { is: 'later', reason: 'drift_unreadable' }
  const next = nextIn(body)
  return { is: 'page', records: body.data, ...(next ? { next } : {}) }
}

export type CountAnswer = { is: 'count'; count: number } | Exclude<ListAnswer, { is: 'page' }>

export function judgeReport(answer: Answered): CountAnswer {
  if (answer.failure !== undefined) return failed(answer.failure)
  const refused = refusalOf(answer)
  if (refused) return refused
  const count = objectOf(answer.body)?.count
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0
    ? { is: 'count', count }
    : { is: 'later', reason: 'drift_unreadable' }
}

type Refusal = Exclude<ListAnswer, { is: 'page' }>

function failed(failure: string): Refusal {
  if (failure === unmakeable) return { is: 'unmakeable' }
  return failure === answerTooLarge ? { is: 'too_large' } : { is: 'later', reason: failure }
}

function refusalOf(answer: Extract<Answered, { failure?: undefined }>): Refusal | undefined {
  const { status, headers } = answer
  if (status === 200) return undefined
  const error = ownErrorOf(answer)
  if (status === 401 && error !== undefined) return { is: 'unauthorised' }
  if (status === 403 && error !== undefined) return { is: 'forbidden' }
  if (status === 401 || status === 403) return { is: 'unclear', reason: `drift_${status}` }
  if ((status === 400 || status === 404) && error !== undefined) return { is: 'refused', reason: `drift_${status}` }
  const retryAfter = headers['retry-after']
  return { is: 'later', reason: `drift_${status}`, ...(retryAfter ? { retryAfter } : {}) }
}

/** Tokens of either way of paging; one of another form, or too long for an address, is as good as none. */
function nextIn({ links, pagination }: JsonObject): Next | undefined {
  const link = isObject(links) && typeof links.next === 'string' ? links.next : ''
  const linked =
    link === '' ? undefined : (URL.parse(link, 'https://drift.invalid')?.searchParams.get('page_token') ?? '')
  if (linked) return usable({ by: 'page_token', token: linked })
  if (!isObject(pagination) || pagination.more !== true) return undefined
  const said = pagination.next
  const token = typeof said === 'number' ? String(said) : said
  return typeof token === 'string' && token !== '' ? usable({ by: 'next', token }) : undefined
}

function usable(next: Next): Next | undefined {
  return next.token.length <= 2_000 ? next : undefined
}

/** A conversation or meeting as a list has it, in the types that Drift documents. */
export interface Listed {
  /** The digits of a conversation's id, or a meeting's eventId. */
  id: string
  contactId?: string
  /** Of a conversation, its own; of a meeting, the one in which it was booked. */
  conversationId?: string
  /** When it began or was booked, in milliseconds since 1970. */
  at: number
  updatedAt?: number
  /** The documented fields that it has: what a webhook about it would have in `data`. */
  data: JsonObject
}

const conversationFields = ['contactId', 'createdAt', 'id', 'inboxId', 'relatedPlaybookId', 'status', 'updatedAt']
const meetingFields = [
  'agentId',
  'conferenceType',
  'conversationId',
  'eventId',
  'isOrgSlug',
  'isPrivate',
  'isRecurring',
  'meetingSource',
  'orgId',
  'scheduledAt',
  'schedulerId',
  'slotEnd',
  'slotStart',
  'slug',
  'status',
  'updatedAt',
]
const numbers = new Set([
  'agentId',
  'contactId',
  'conversationId',
  'createdAt',
  'id',
  'inboxId',
  'orgId',
  'relatedPlaybookId',
  'scheduledAt',
  'schedulerId',
  'slotEnd',
  'slotStart',
  'updatedAt',
])

/** Undefined where it is not a conversation: without an id, or without the time at which it began. */
export function conversationIn(record: Json): Listed | undefined {
  if (!isObject(record)) return undefined
  const data = fieldsOf(record, conversationFields)
  const [id, at] = [digitsOf(data.id), timeOf(data.createdAt)]
  if (id === undefined || at === undefined) return undefined
  const rest = optional({ contactId: digitsOf(data.contactId), updatedAt: timeOf(data.updatedAt) })
  return { id, at, conversationId: id, ...rest, data }
}

/** Undefined where it is not a meeting: without an eventId, or without the time at which it was booked. */
export function meetingIn(record: Json): Listed | undefined {
  if (!isObject(record)) return undefined
  const data = fieldsOf(record, meetingFields)
  const [id, at] = [data.eventId, timeOf(data.scheduledAt)]
  if (typeof id !== 'string' || id === '' || at === undefined) return undefined
  const whose = { contactId: digitsOf(data.schedulerId), conversationId: digitsOf(data.conversationId) }
  return { id, at, ...optional(whose), data }
}

/** When a record of a list was last updated, also of one that is not readable otherwise. */
export function updatedIn(record: Json): number | undefined {
  return isObject(record) ? timeOf(fieldsOf(record, ['updatedAt']).updatedAt) : undefined
}

/** Scalars alone; numbers that came as texts of digits are numbers again, as in a webhook. */
function fieldsOf(record: JsonObject, names: readonly string[]): JsonObject {
  const fields: JsonObject = {}
  for (const name of names) {
    const found = Object.hasOwn(record, name) ? record[name]! : null
    if (found === null || isObject(found) || Array.isArray(found)) continue
    const isDigits = typeof found === 'string' && /^[0-9]{1,19}$/.test(found)
    fields[name] = isDigits && numbers.has(name) ? numberOf(found) : found
  }
  return fields
}

/** The scalar attributes of a contact whose name does not begin with an underscore, none of them null. */
export function sendable(attributes: JsonObject): Record<string, Json> {
  // No prototype: an attribute may have any name at all, `__proto__` among them.
  const kept: Record<string, Json> = Object.create(null)
  for (const [name, value] of Object.entries(attributes)) {
    if (name === '' || name.startsWith('_') || value === null || isObject(value) || Array.isArray(value)) continue
    kept[name] = value
  }
  return kept
}

/** A usable Drift id: a whole number above 0, at most 19 digits since it is an int64. */
function digitsOf(found: Json | undefined): string | undefined {
  const digits = isExactNumber(found) ? found.rawJSON : typeof found === 'number' ? String(found) : undefined
  return digits !== undefined && /^[1-9][0-9]{0,18}$/.test(digits) ? digits : undefined
}

function timeOf(found: Json | undefined): number | undefined {
  return typeof found === 'number' && Number.isSafeInteger(found) && found > 0 ? found : undefined
}

function optional<Values extends Record<string, unknown>>(
  values: Values,
): { [Name in keyof Values]?: NonNullable<Values[Name]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
