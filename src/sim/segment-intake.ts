/** What Segment does with a call once the HTTP is off: refuse it, or answer 200 and sort its messages unseen. */
import { isObject, type Json, type JsonObject, readText } from '../lib/json.ts'
import type { Received } from './server.ts'

/** A message as Segment stores it. */
export interface Stored {
  writeKey: string
  /** Milliseconds since 1970. */
  receivedAt: number
  /** ISO 8601: receivedAt − (sentAt − originalTimestamp), which undoes a sender's wrong clock. */
  timestamp: string
  /** As it came, with a batch's own `context` and `integrations` merged in; digits above 2^53 kept. */
  message: JsonObject
}

/** Why a message was dropped although its call was answered 200. */
export type Rejection =
  | 'too_many_messages'
  | 'unknown_write_key'
  | 'not_an_object'
  | 'unknown_type'
  | 'no_user_anon_id'
  | 'no_event'
  | 'message_id_too_long'

export interface Rejected extends Stored {
  reason: Rejection
}

export interface Arrivals {
  readonly accepted: Stored[]
  readonly rejected: Rejected[]
  readonly duplicates: Stored[]
  /** Every messageId accepted so far: Segment looks for repeats across all write keys. */
  readonly messageIds: Set<string>
}

/** A call that could be read. `bytes` are UTF-8. */
export interface Post {
  isBatch: boolean
  bytes: number
  writeKey: string
  sentAt: Json | undefined
  messages: Json[]
}

/** Segment's documented limits: 2,500 messages a batch, 100 characters of messageId. */
const messagesMax = 2_500
const messageIdLengthMax = 100

const types = ['track', 'identify', 'page', 'screen', 'group', 'alias']
const paths = new Map<string, string>([
  ...types.map((type) => [`/v1/${type}`, type] as const),
  ...types.map((type) => [`/v1/${type[0]}`, type] as const),
  ['/v1/batch', 'batch'],
  ['/v1/b', 'batch'],
])

/** True for `/v1/batch`, `/v1/track` and their kin, the short forms included. */
export function takesMessages(path: string): boolean {
  return paths.has(path)
}

/**
 * Undefined when the body is not a JSON object, or a batch without a list. The body's write key wins over the header's, unless
 * the header alone is looked at.
 */
export function readPost({ path, headers, body }: Received, byHeader = false): Post | undefined {
  const reading = readText(body)
  const call = reading.value
  if (!isObject(call)) return undefined
  const { writeKey: own, sentAt, batch, ...rest } = call
  const writeKey = byHeader || own === undefined ? basicUser(headers.authorization) : own
  const kind = paths.get(path) ?? 'batch'
  const isBatch = kind === 'batch'
  if (isBatch && !Array.isArray(batch)) return undefined
  const messages = isBatch ? (batch as Json[]).map((item) => merged(rest, item)) : [{ ...rest, type: kind }]
  const key = typeof writeKey === 'string' ? writeKey : ''
  return { isBatch, bytes: Buffer.byteLength(body), writeKey: key, sentAt, messages }
}

/** Puts each message of a call where it belongs. */
export function intake(arrivals: Arrivals, post: Post, keyIsKnown: boolean, receivedAt: number): void {
  const { writeKey, sentAt, messages } = post
  for (const item of messages) {
    const message = isObject(item) ? item : { value: item }
    const timestamp = storedTimestamp(receivedAt, sentAt, message.timestamp)
    const stored: Stored = { writeKey, receivedAt, timestamp, message }
    const { messageId } = message
    const reason =
      messages.length > messagesMax
        ? 'too_many_messages'
        : !keyIsKnown
          ? 'unknown_write_key'
          : isObject(item)
            ? rejection(message)
            : 'not_an_object'
    if (reason !== undefined) arrivals.rejected.push({ ...stored, reason })
    else if (typeof messageId === 'string' && arrivals.messageIds.has(messageId)) arrivals.duplicates.push(stored)
    else {
      if (typeof messageId === 'string') arrivals.messageIds.add(messageId)
      arrivals.accepted.push(stored)
    }
  }
}

function rejection({ type, userId, anonymousId, event, messageId }: JsonObject): Rejection | undefined {
  if (typeof type !== 'string' || !types.includes(type)) return 'unknown_type'
  if (!isText(userId) && !isText(anonymousId)) return 'no_user_anon_id'
  if (type === 'track' && !isText(event)) return 'no_event'
  if (typeof messageId === 'string' && messageId.length > messageIdLengthMax) return 'message_id_too_long'
  return undefined
}

function isText(value: Json | undefined): boolean {
  return typeof value === 'string' && value !== ''
}

function merged({ context, integrations }: JsonObject, item: Json): Json {
  if (!isObject(item)) return item
  const message = { ...item }
  if (isObject(context)) message.context = { ...context, ...(isObject(item.context) ? item.context : {}) }
  if (isObject(integrations))
    message.integrations = { ...integrations, ...(isObject(item.integrations) ? item.integrations : {}) }
  return message
}

/** Without a usable `timestamp` it is the time of receipt; without `sentAt` the message's own time stands. */
function storedTimestamp(receivedAt: number, sentAt: Json | undefined, timestamp: Json | undefined): string {
  const original = timeOf(timestamp)
  const sent = timeOf(sentAt)
  const shift = original === undefined || sent === undefined ? 0 : receivedAt - sent
  return new Date((original ?? receivedAt) + shift).toISOString()
}

function timeOf(value: Json | undefined): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : typeof value === 'number' ? value : Number.NaN
  // The range that a Date can hold (ECMAScript 21.4.1.1), less the shift of a clock that is years off.
  return Math.abs(ms) < 8.6e15 ? ms : undefined
}

function basicUser(authorization: string | undefined): string {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1] ?? ''
  return Buffer.from(encoded, 'base64').toString('utf8').split(':')[0] ?? ''
}
