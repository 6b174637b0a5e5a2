/** `POST /webhooks/drift`, answered by node:http directly: the token first, then the body, then the store, then 200. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderToken, Tokens } from '../drift/envelope.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Receive, Received } from '../pipeline/receive.ts'
import type { BodyBudget } from './http/body-budget.ts'
import { decodeBody } from './http/content-encoding.ts'
import { readBody } from './http/read-body.ts'
import { answer, type Route } from './http/server.ts'
import { webhookLines } from './webhook-lines.ts'

/** A webhook is at most 256 KiB. Drift's own are a few kB. */
export const bodyBytesMax = 256 * 1024
const retryAfterSeconds = '2'

interface Needs {
  receive: Receive
  tokens: Tokens
  /** For bodies that come without a right header. */
  strangers: BodyBudget
  clock: Clock
  log: Log
  /** Called with how long each webhook took. */
  took(ms: number): void
}

export function webhookRoute({ receive, tokens, strangers, clock, log, took }: Needs): Route {
  const write = webhookLines(log)
  return async (request, response, allowBody) => {
    const startedAt = clock.monotonic()
    const header = judgeHeader(request, tokens)
    const tell = (status: number, fields: Partial<Received>, bytes?: number) => {
      const durationMs = Math.round((clock.monotonic() - startedAt) * 10) / 10
      took(durationMs)
      write({ status, ...fields, bytes, durationMs })
    }
    const tooLarge = () => {
      refuse(response, 413, 'too_large')
      tell(413, { reason: 'too_large' })
    }
    if (header.verdict === 'wrong') {
      refuse(response, 401, 'unauthorised')
      return tell(401, { reason: 'token_wrong' })
    }
    if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) return tooLarge()
    allowBody()
    const body = await readBody(request, {
      bytesMax: bodyBytesMax,
      budget: header.verdict === 'right' ? undefined : strangers,
      make: (whole) => decodeBody(whole, request.headers['content-encoding'], bodyBytesMax),
    })
    if (body === 'too_large') return tooLarge()
    if (body === 'cut') {
      refuse(response, 408, 'strangers_too_many')
      return tell(408, { reason: 'strangers_too_many' })
    }
    if (body === 'left') return tell(0, { reason: 'cut_off' })
    try {
      const received = await receive(body.bytes, header, body.encoding)
      if (received.outcome === 'unauthorised') refuse(response, 401, 'unauthorised')
      else answer(response, 200, { ok: true })
      tell(response.statusCode, received, body.bytes.length)
    } catch (error) {
      // Not stored for certain, so not acknowledged; if it was stored after all, the same event again is one event.
      // mutant: answers 200 when the store refused
      answer(response, 503, { ok: false, error: 'unavailable' }, { 'retry-after': retryAfterSeconds })
      tell(503, { reason: codeOf(error) }, body.bytes.length)
    }
  }
}

/** A header that stands twice with equal values counts as one, an empty one as none. */
function judgeHeader(request: IncomingMessage, tokens: Tokens): HeaderToken {
  const joined = request.headers['x-verification-token']
  if (typeof joined === 'string' && !mayBeSeveral.test(joined)) return { verdict: tokens.judge(joined), token: joined }
  // A header that stands twice is joined with a comma, by Node or by a proxy; no accepted token has one in it.
  const values = String(joined ?? '').split(',')
  const [token, ...others] = new Set(values.map((value) => value.trim()).filter(Boolean))
  if (token === undefined) return { verdict: 'missing' }
  return others.length === 0 ? { verdict: tokens.judge(token), token } : { verdict: 'wrong' }
}

/** Empty, with blanks, or joined. */
const mayBeSeveral = /^$|[\s,]/

/** What follows is not read, so the connection cannot be used again. */
function refuse(response: ServerResponse, status: 401 | 408 | 413, error: string): void {
  answer(response, status, { ok: false, error }, { connection: 'close' })
}
