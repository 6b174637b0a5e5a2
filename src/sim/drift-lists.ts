/**
 * Drift's lists: conversations page by page, meetings of 30 days, reports. Drift has no list of contacts: each is looked up.
 * Shapes and limits are those of Drift's documentation, and of answers that others have published.
 */
import { isObject, type Json, type JsonObject, readText } from '../lib/json.ts'
import { bearer, type DriftState, digitsOf, kong, type ListOddity, type Org } from './drift-state.ts'
import type { Received, Reply } from './server.ts'

const dayMs = 86_400_000

interface List {
  /** One of these is enough. */
  scopes(state: DriftState): readonly string[]
  answer(state: DriftState, org: Org, request: Received): Reply
  /** Of the reports there are fewer calls a minute. */
  report?: true
}

const lists: Readonly<Record<string, List>> = {
  'GET /conversations/list': { scopes: () => ['conversation_read'], answer: conversationsPage },
  'GET /users/meetings/org': { scopes: ({ settings }) => settings.lists.meetingScopes, answer: meetingsList },
  'POST /reports/conversations': { scopes: () => ['conversation_read'], answer: report, report: true },
}

/** Undefined when the path is none of these, and where the account has not used up what it may ask. */
export function listOf(state: DriftState, request: Received): Reply | undefined {
  const list = lists[`${request.method} ${request.path}`]
  const isLookUp = /^\/(contacts|conversations)\/[^/]+$/.test(request.path)
  if (!list && !isLookUp) return undefined
  const grant = bearer(state, request.headers.authorization)
  if ('status' in grant) return grant
  const refused = tooMany(state, grant.orgId, list?.report ?? false)
  if (refused || !list) return refused
  const scopes = list.scopes(state)
  if (!scopes.some((scope) => grant.scopes.includes(scope)))
    return kong(403, 'insufficient_scope', `The access token needs ${scopes.join(' or ')}`)
  const org = state.orgs.get(grant.orgId)
  return org ? list.answer(state, org, request) : problem(404, 'not_found', 'Account was not found')
}

/** Counts the request, or says that it is one too many. */
function tooMany({ clock, settings, taken }: DriftState, orgId: number, isReport: boolean): Reply | undefined {
  const { reportsAMinute, requestsAMinute, requestsASecond, retryAfter } = settings.lists
  const limits = isReport
    ? [{ name: 'reports', windowMs: 60_000, most: reportsAMinute }]
    : [
        { name: 'minute', windowMs: 60_000, most: requestsAMinute ?? Number.POSITIVE_INFINITY },
        { name: 'second', windowMs: 1_000, most: requestsASecond ?? Number.POSITIVE_INFINITY },
      ]
  const now = clock.now()
  for (const { name, windowMs, most } of limits) {
    const times = (taken.get(`${name} ${orgId}`) ?? []).filter((at) => at > now - windowMs)
    if (times.length >= most) {
      const seconds = Math.max(1, Math.ceil((times[0]! + windowMs - now) / 1_000))
      const headers: Record<string, string> = retryAfter ? { 'retry-after': String(seconds) } : {}
      return { ...problem(429, 'rate_limit_error', 'Too many requests'), headers }
    }
    taken.set(`${name} ${orgId}`, [...times, now])
  }
  return undefined
}

/** Last updated first, as Drift has them. */
function conversationsPage({ settings }: DriftState, org: Org, request: Received): Reply {
  const { paging, limitMax, odd } = settings.lists
  const token = tokenIn(request.query)
  if (token === 'unknown') return problem(400, 'validation_error', 'The page token is not valid', 'page_token')
  const limit = Number(request.query.get('limit') ?? token?.limit ?? 25)
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax)
    return problem(400, 'validation_error', `limit must be between 1 and ${limitMax}`, 'limit')
  const wanted = request.query.getAll('statusId').flatMap((id) => statuses[id] ?? [])
  const all = [...org.conversations.values()]
    .filter(({ status }) => wanted.length === 0 || wanted.includes(String(status)))
    .sort(byUpdate)
  const start = startOf(all, token)
  const page = token?.page ?? 0
  const records = odd.has('empty_pages') && page % 3 === 2 ? [] : all.slice(start, start + limit)
  const at = start + records.length
  const goesOn = at < all.length || odd.has('loop')
  const { updatedAt, id } = records.at(-1) ?? { updatedAt: token?.updatedAt, id: token?.id }
  const last = id === undefined ? {} : { updatedAt: timeOf({ updatedAt: updatedAt ?? 0 }), id: digitsOf(id)! }
  const next: Token = at < all.length || !token ? { at, page: page + 1, limit, ...last } : token
  const host = odd.has('foreign_next') ? 'https://drift.example' : `http://${request.headers.host}`
  const link = (to: Token) => `${host}/conversations/list?page_token=${linkToken(to)}`
  const self = link(token ?? { at: 0, page: 0, limit })
  const links = { self, ...(goesOn ? { next: link(next) } : {}) }
  const pagination = { more: goesOn, ...(goesOn ? { next: String(next.at) } : {}) }
  const repeated = start > 0 && odd.has('repeats') ? [all[start - 1]!] : []
  const body = {
    data: oddly([...repeated, ...records], odd),
    ...(paging === 'links' ? {} : { pagination }),
    ...(paging === 'pagination' ? {} : { links }),
  }
  return { status: 200, body }
}

const statuses: Readonly<Record<string, string>> = { 1: 'open', 2: 'closed', 3: 'pending' }

interface Token {
  /** How many records stood before it. */
  at: number
  /** Which page it is, from 0. */
  page: number
  limit?: number
  /** The last record of the page before, where a link says it. */
  updatedAt?: number
  id?: string
}

/** As in links that others have published: base64 of a query with these names. */
function linkToken({ updatedAt, id, ...rest }: Token): string {
  const said = { ...(id === undefined ? {} : { highestUpdatedAt: updatedAt, highestId: id }), ...rest }
  const query = new URLSearchParams(
    Object.entries(said).map(([name, value]): [string, string] => [name, String(value)]),
  )
  return Buffer.from(query.toString()).toString('base64url')
}

function tokenIn(query: URLSearchParams): Token | undefined | 'unknown' {
  const position = query.get('next') ?? ''
  const text = query.get('page_token') ?? ''
  if (text === '') return /^\d+$/.test(position) ? { at: Number(position), page: 0 } : undefined
  const said = new URLSearchParams(Buffer.from(text, 'base64url').toString())
  const number = (name: string) => Number(said.get(name) ?? Number.NaN)
  if (!Number.isInteger(number('at'))) return 'unknown'
  const id = said.get('highestId')
  const last = id === null ? {} : { id, updatedAt: number('highestUpdatedAt') }
  return { at: number('at'), page: number('page'), limit: number('limit'), ...last }
}

/** Behind the last record of the page before, wherever that stands by now; at a position where only that is known. */
function startOf(all: readonly JsonObject[], token: Token | undefined): number {
  if (token?.id === undefined) return token?.at ?? 0
  const last = { updatedAt: token.updatedAt ?? 0, id: token.id }
  const first = all.findIndex((record) => byUpdate(last, record) < 0)
  return first < 0 ? all.length : first
}

function byUpdate(one: JsonObject, other: JsonObject): number {
  return timeOf(other) - timeOf(one) || Number(digitsOf(other.id)) - Number(digitsOf(one.id))
}

function timeOf({ updatedAt, createdAt }: JsonObject): number {
  return typeof updatedAt === 'number' ? updatedAt : typeof createdAt === 'number' ? createdAt : 0
}

/** What stands in a page instead of, and between, the records as they are. */
function oddly(records: readonly JsonObject[], odd: ReadonlySet<ListOddity>): Json[] {
  const told = records.map((record, at) => {
    const one = { ...record }
    if (odd.has('no_times') && at % 5 === 4) delete one.updatedAt
    if (odd.has('no_contact') && at % 7 === 6) delete one.contactId
    if (odd.has('records') && at % 3 === 2)
      for (const name of ['id', 'contactId']) if (name in one) one[name] = digitsOf(one[name])!
    return one
  })
  if (!odd.has('records')) return told
  return [null, ...told, 'a text', {}, { contactId: 1, createdAt: 'yesterday' }]
}

/** Those whose time lies in the window, at most so many; further back than 30 days there is none. */
function meetingsList({ clock, settings }: DriftState, org: Org, { query }: Received): Reply {
  const { meetingsMax, odd } = settings.lists
  const [min, max] = ['min_start_time', 'max_start_time'].map((name) => Number(query.get(name) || Number.NaN))
  if (!Number.isInteger(min) || !Number.isInteger(max))
    return problem(400, 'validation_error', 'min_start_time and max_start_time are milliseconds', 'min_start_time')
  const oldest = Math.max(min!, clock.now() - 30 * dayMs)
  const start = ({ slotStart }: JsonObject) => (typeof slotStart === 'number' ? slotStart : 0)
  const found = [...org.meetings.values()]
    .filter((meeting) => start(meeting) >= oldest && start(meeting) <= max!)
    .sort((one, other) => start(one) - start(other))
    .slice(0, meetingsMax)
  const told = found.map((meeting, at) => oddMeeting(meeting, at, odd))
  const [first] = odd.has('repeats') ? told : []
  const all = [...told, ...(first ? [first] : [])]
  return { status: 200, body: { data: odd.has('records') ? [null, ...all, {}, { eventId: 7 }] : all } }
}

function oddMeeting(meeting: JsonObject, at: number, odd: ReadonlySet<ListOddity>): JsonObject {
  const one = { ...meeting }
  if (odd.has('no_times') && at % 5 === 4) delete one.updatedAt
  // Its conversation says whose it is.
  if (odd.has('no_contact') && at % 7 === 6 && one.conversationId !== undefined) delete one.schedulerId
  if (odd.has('records') && at % 3 === 2)
    for (const name of ['agentId', 'schedulerId', 'conversationId', 'scheduledAt', 'slotStart'])
      if (name in one) one[name] = digitsOf(one[name])!
  return one
}

/** `count`, and for each conversation of the window the metrics in the order in which they were asked for. */
function report(_: DriftState, org: Org, { body }: Received): Reply {
  const ask = readText(body).value
  const filters = isObject(ask) && Array.isArray(ask.filters) ? ask.filters : []
  const metrics = isObject(ask) && Array.isArray(ask.metrics) ? ask.metrics.map(String) : []
  const found = [...org.conversations.values()].filter((one) => filters.every((filter) => isIn(one, filter)))
  const data = found.map((one) => ({ conversationId: one.id, metrics: metrics.map((name) => metricOf(one, name)) }))
  return { status: 200, body: { count: found.length, data } }
}

/** Days, both included, in UTC. */
function isIn(conversation: JsonObject, filter: Json): boolean {
  if (!isObject(filter) || filter.operation !== 'BETWEEN' || !Array.isArray(filter.values)) return true
  const [from, to] = filter.values.map((day) => Date.parse(String(day)))
  const at = conversation[String(filter.property)]
  return typeof at === 'number' && at >= from! && at < to! + dayMs
}

function metricOf(conversation: JsonObject, name: string): Json {
  return conversation[name === 'endUserId' ? 'contactId' : name] ?? 'NaN'
}

function problem(status: number, type: string, message: string, param?: string): Reply {
  return { status, body: { errors: [{ type, message, ...(param ? { param } : {}) }] } }
}
