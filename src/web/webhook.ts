/** `POST /webhooks/drift`, answered by node:http directly: the token first, then the body, then the store, then 200. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tokens, TokenVerdict } from '../drift/envelope.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Receive, Received } from '../pipeline/receive.ts'
import { answer, type Route } from './server.ts'

/** Contract: a webhook is at most 256 KiB. Drift's own are a few kB. */
export const bodyBytesMax = 256 * 1024
const retryAfterSeconds = '2'

interface Needs {
  receive: Receive
  tokens: Tokens
  clock: Clock
  log: Log
}

export function webhookRoute({ receive, tokens, clock, log }: Needs): Route {
  return async (request, response, allowBody) => {
    const startedAt = clock.monotonic()
    const header = judgeHeader(request, tokens)
    const durationMs = () => Math.round((clock.monotonic() - startedAt) * 10) / 10
    const tell = (status: number, fields: Partial<Received>, bytes?: number) =>
      log.info('webhook', { status, ...fields, bytes, durationMs: durationMs() })
    if (header === 'wrong') {
      refuse(response, 401, 'unauthorised')
      return tell(401, { reason: 'token_wrong' })
    }
    const body = await bodyOf(request, allowBody)
    if (body === 'too_large') {
      refuse(response, 413, 'too_large')
      return tell(413, { reason: 'too_large' })
    }
    if (body === 'cut_off') return tell(0, { reason: 'cut_off' })
    try {
      const received = await receive(body, header, request.headers['content-encoding'])
      if (received.outcome === 'unauthorised') refuse(response, 401, 'unauthorised')
      else answer(response, 200, { ok: true })
      tell(response.statusCode, received, body.length)
    } catch (error) {
      // Not stored for certain, so not acknowledged; if it was stored after all, the same event again is one event.
      answer(response, 503, { ok: false, error: 'unavailable' }, { 'retry-after': retryAfterSeconds })
      log.error('webhook', { status: 503, reason: codeOf(error), bytes: body.length, durationMs: durationMs() })
    }
  }
}

function judgeHeader(request: IncomingMessage, tokens: Tokens): TokenVerdict {
  const presented = request.headers['x-verification-token']
  if (presented === undefined) return 'missing'
  return typeof presented === 'string' ? tokens.judge(presented) : 'wrong'
}

/** What follows is not read, so the connection cannot be used again. */
function refuse(response: ServerResponse, status: 401 | 413, error: string): void {
  answer(response, status, { ok: false, error }, { connection: 'close' })
}

/** By events: an async iterator over the request costs more than reading and judging what is in it. */
function bodyOf(request: IncomingMessage, allowBody: () => void): Promise<Buffer | 'too_large' | 'cut_off'> {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) return Promise.resolve('too_large')
  allowBody()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes <= bodyBytesMax) return
      request.off('data', take).pause()
      resolve('too_large')
    }
    const cutOff = () => resolve('cut_off')
    request.on('data', take).once('error', cutOff).once('close', cutOff)
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)))
  })
}
