/** A Segment of our own: answers as the Tracking API does, which is 200 to nearly everything, and tells what it kept. */
import { type Clock, systemClock } from '../lib/clock.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { openScripts, type PathPattern, type Player, player, type Script } from './script.ts'
import { type Arrivals, intake, type Post, readPost, type Stored, takesMessages } from './segment-intake.ts'
import { analyticsScript, answers, receivedFor, settings, statusPage, summary } from './segment-pages.ts'
import { type Action, listen, type Received, type Reply } from './server.ts'
import { openWaiting, waitMsMax } from './waiting.ts'

export interface SegmentOptions {
  /** 0, the default: a free one. */
  port?: number
  /** A name for the status page; one simulator is one region. */
  region?: string
  /** The write keys that exist. None given: every well-formed key does. */
  keys?: Iterable<string>
  clock?: Clock
  /**
   * Answers as a RudderStack data plane does, in Segment's place: a call that is taken gets the text `OK`, and the write key
   * is read from the header `Authorization: Basic` alone: 401 without it, and for a key that is not known.
   */
  isRudderStack?: boolean
}

export interface SegmentAction extends Action {
  /** 400 for every call that holds such a message; nothing of the call is kept. */
  refuseIf?: (message: JsonObject) => boolean
}

export interface SegmentSim extends Omit<Arrivals, 'messageIds'> {
  readonly url: string
  readonly region: string
  /** Add and delete as you like; empty: every well-formed key exists. Messages of another key are rejected, with 200. */
  readonly keys: Set<string>
  readonly requests: readonly Received[]
  /** What the next calls get: the message calls, or the requests whose path fits. */
  script(script: Script<SegmentAction> | undefined, path?: PathPattern): void
  /** What the message calls of one write key get; goes before `script`. */
  forKey(writeKey: string, script: Script<SegmentAction> | undefined): void
  /** Resolves with the accepted messages once there are so many, or once the predicate likes them. Default 10 s. */
  waitFor(wanted: number | ((accepted: readonly Stored[]) => boolean), timeoutMs?: number): Promise<readonly Stored[]>
  close(): Promise<void>
}

/**
 * Documented as 32 KB a message and 500 KB a request; whether a KB is 1000 or 1024 is not, so the smaller reading: who
 * passes here passes there.
 */
const messageBytesMax = 32_000
const batchBytesMax = 500_000
/** The shortest real key seen in public has 8 characters, and `abc123` is known to be refused. */
const writeKeyLengthMin = 8

/** The calls that carry messages. */
const messagePaths = /^\/v1\/(?!projects\/|m$)/

const ok: Reply = { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'OK' }
const success: Reply = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"success": true}' }

export async function startSegment(options: SegmentOptions = {}): Promise<SegmentSim> {
  const { port = 0, region = 'us', clock = systemClock, isRudderStack = false } = options
  const keys = new Set(options.keys)
  const requests: Received[] = []
  const arrivals: Arrivals = { accepted: [], rejected: [], duplicates: [], messageIds: new Set() }
  const scripts = openScripts<SegmentAction>()
  const byKey = new Map<string, Player<SegmentAction>>()
  const waiting = openWaiting(clock)
  const isKnown = (writeKey: string) => keys.size === 0 || keys.has(writeKey)
  let url = ''
  let answer = 'normal'

  function respond(request: Received): { action?: SegmentAction | undefined; answer: () => Reply } {
    if (request.method === 'OPTIONS') return { answer: () => ({ status: 204 }) }
    const takes = request.method === 'POST' && takesMessages(request.path)
    const post = takes ? readPost(request, isRudderStack) : undefined
    const action = (post && byKey.get(post.writeKey)?.(request)) ?? scripts.next(request)
    const answer = () => (takes ? take(post, action, request.receivedAt) : other(request))
    return { action, answer }
  }

  function take(post: Post | undefined, action: SegmentAction | undefined, receivedAt: number): Reply {
    if (post === undefined) return refusal('malformed JSON')
    if (isRudderStack && post.writeKey === '') return unauthorised('Failed to read writeKey from header')
    if (isRudderStack && !isKnown(post.writeKey)) return unauthorised('Invalid Write Key')
    if (!isRudderStack && post.writeKey.length < writeKeyLengthMin) return refusal('An invalid write key was provided')
    if (isTooLarge(post)) return refusal('Exceed payload limit')
    if (post.messages.some((message) => isObject(message) && action?.refuseIf?.(message)))
      return refusal('The request was refused')
    intake(arrivals, post, isKnown(post.writeKey), receivedAt)
    return isRudderStack ? ok : success
  }

  /** From the page for people. */
  function answerWith(chosen: string | null): Reply {
    if (chosen !== null && Object.hasOwn(answers, chosen)) {
      answer = chosen
      const [, status] = answers[chosen]!
      scripts.set(messagePaths, status === undefined ? undefined : { status })
    }
    return { status: 303, headers: { location: '/' } }
  }

  function other({ method, path, body }: Received): Reply {
    if (method === 'POST' && path === '/demo/answers') return answerWith(new URLSearchParams(body).get('answer'))
    const [, writeKey] = /^\/v1\/projects\/([^/]+)\/settings$/.exec(path) ?? []
    if (method === 'GET' && writeKey !== undefined) {
      const key = decodeURIComponent(writeKey)
      const exists = key.length >= writeKeyLengthMin && isKnown(key)
      return exists ? { status: 200, body: settings(key, url) } : { status: 404, body: 'Not Found' }
    }
    if (method === 'GET' && /^\/analytics\.js\/v1\/[^/]+\/analytics\.min\.js$/.test(path)) return analyticsScript()
    return method === 'POST' && path === '/v1/m' ? success : { status: 404, body: 'Not Found' }
  }

  const listener = await listen({
    clock,
    port,
    requests,
    respond: (request) => allowingOrigin(request, respond(request)),
    pageOf: (request) => {
      if (request.path === '/') return statusPage({ region, answer }, arrivals, requests)
      const reply = receivedFor(arrivals, request)
      return reply && allowingOrigin(request, { action: undefined, answer: () => reply }).answer()
    },
    changed: waiting.changed,
  })
  url = listener.url

  return {
    url,
    region,
    keys,
    requests,
    accepted: arrivals.accepted,
    rejected: arrivals.rejected,
    duplicates: arrivals.duplicates,
    script: (script, path = messagePaths) => scripts.set(path, script),
    forKey(writeKey, script) {
      if (script === undefined) byKey.delete(writeKey)
      else byKey.set(writeKey, player(script))
    },
    async waitFor(wanted, timeoutMs = waitMsMax) {
      const { accepted } = arrivals
      const isThere = () => (typeof wanted === 'number' ? accepted.length >= wanted : wanted(accepted))
      await waiting.until(isThere, timeoutMs, () => summary(arrivals, requests))
      return accepted
    },
    async close() {
      waiting.close()
      await listener.close()
    },
  }
}

function unauthorised(text: string): Reply {
  return { status: 401, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}

function refusal(message: string): Reply {
  return { status: 400, body: { success: false, message } }
}

function isTooLarge({ isBatch, bytes, messages }: Post): boolean {
  if (!isBatch) return bytes > messageBytesMax
  if (bytes > batchBytesMax) return true
  // A batch within the limit of one message has no message above it.
  return bytes > messageBytesMax && messages.some((one) => Buffer.byteLength(JSON.stringify(one)) > messageBytesMax)
}

/** Browsers ask first (the Authorization header forces a preflight) and read no answer without these headers. */
function allowingOrigin(
  { headers }: Received,
  { action, answer }: { action?: Action | undefined; answer: () => Reply },
) {
  const cors = {
    'access-control-allow-origin': headers.origin ?? '*',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type, x-retry-count',
    'access-control-max-age': '600',
  }
  const withCors = (reply: Reply): Reply => ({ ...reply, headers: { ...cors, ...reply.headers } })
  return { action: action && { ...action, headers: { ...cors, ...action.headers } }, answer: () => withCors(answer()) }
}
