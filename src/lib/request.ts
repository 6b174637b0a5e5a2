/**
 * The one home of outgoing requests. Each has a total deadline and a cap on its answer, follows no redirect (a POST
 * would carry its secrets to another host), and ends as a value: an answer, or why there is none.
 */
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as undiciRequest } from 'undici'
import { type Clock, systemClock } from './clock.ts'
import { codeOf } from './errors.ts'
import { isLoopback } from './loopback.ts'
import { tlsFailureOf } from './tls-failures.ts'

export interface Outgoing {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: string
  /** The whole exchange, from the name look-up to the last byte of the answer. */
  deadlineMs: number
  /** Of an answer beyond the cap the beginning is given; without this, the request fails with `answerTooLarge`. */
  takesBeginning?: true
}

export type Answered =
  /** A header that came several times has its first value; `set-cookie` has all of them, one a line. */
  | {
      status: number
      headers: Record<string, string | undefined>
      body: string
      /** The body went on beyond the cap, and was not read further. */
      isCut?: true
      failure?: undefined
    }
  /** No answer: the other side may have acted on the request all the same. */
  | { status: 0; failure: string }

export type Send = (outgoing: Outgoing) => Promise<Answered>

/** Partners answer in a few hundred bytes; a conversation takes a few kB. */
const answerBytesMax = 1024 * 1024

export interface HttpClient {
  send: Send
  close(): Promise<void>
}

/** Outgoing proxies by the protocol of what is asked for; `except`: hosts that are asked directly, as NO_PROXY has them. */
export interface Proxies {
  https?: string | undefined
  http?: string | undefined
  except?: string | undefined
}

/**
 * As many as the pipeline has under way to one partner: 32 accounts with four requests each. One that waited for a
 * connection would begin when its lease may have ended, and accounts whose requests hang would keep the others waiting.
 */
const requestsMax = 128

interface HttpClientOptions {
  /** To one origin at once; further requests wait within their deadline. */
  connections?: number
  clock?: Clock
  proxies?: Proxies
}

/** The failure of a request that cannot even be made, such as one whose token is not a header's value: waiting does not help. */
export const unmakeable = 'REQUEST_INVALID'

/** The failure of a request whose answer went on beyond the cap. */
export const answerTooLarge = 'UND_ERR_RES_EXCEEDED_MAX_SIZE'

/** Connections are kept for ten minutes at most, so that a partner's moved address is found (Segment asks for a day). */
export function openHttpClient({
  connections = requestsMax,
  clock = systemClock,
  proxies = {},
}: HttpClientOptions = {}): HttpClient {
  const options = {
    connections,
    pipelining: 1,
    connect: { timeout: 5_000 },
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 600_000,
    maxHeaderSize: 16 * 1024,
  }
  const direct = new Agent(options)
  // Empty words, because what is left out would be read from the environment.
  const { https = '', http = '', except = '' } = proxies
  const proxied =
    https || http
      ? new EnvHttpProxyAgent({ ...options, httpsProxy: https, httpProxy: http, noProxy: except })
      : undefined
  const dispatcherFor = (url: string): Dispatcher => {
    const { protocol, hostname } = new URL(url)
    const hasProxy = protocol === 'https:' ? https !== '' : http !== ''
    return proxied && hasProxy && !isLoopback(hostname) ? proxied : direct
  }
  return {
    close: async () => void (await Promise.all([direct.destroy(), proxied?.destroy()])),
    async send({ method, url, headers, body, deadlineMs, takesBeginning }) {
      const deadline = new AbortController()
      const cancel = clock.after(deadlineMs, () => deadline.abort(new DOMException('no whole answer', 'TimeoutError')))
      try {
        const answer = await undiciRequest(url, {
          method,
          headers: headers ?? {},
          body: body ?? null,
          dispatcher: dispatcherFor(url),
          signal: deadline.signal,
        })
        const { text, isCut } = await beginningOf(answer.body, answerBytesMax)
        if (isCut && !takesBeginning) return { status: 0, failure: answerTooLarge }
        const whole = { status: answer.statusCode, headers: singleHeaders(answer.headers), body: text }
        return isCut ? { ...whole, isCut } : whole
      } catch (error) {
        return { status: 0, failure: failureOf(error) }
      } finally {
        cancel()
      }
    },
  }
}

/** As much of a body as fits into `bytesMax`, and whether more came. What follows is not read: the connection is closed. */
export async function beginningOf(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<{ text: string; isCut: boolean }> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes > bytesMax) break
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, bytesMax))
  return { text, isCut: bytes > bytesMax }
}

/** Codes of Node's and undici's for what was never a request. */
const invalid = /^(UND_ERR_INVALID_ARG|ERR_INVALID_(URL|CHAR|HTTP_TOKEN|ARG_TYPE|ARG_VALUE))$/

/** The code for why no answer came: the system's, one of TLS, or ours. */
export function failureOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'TIMEOUT'
  const proxyStatus = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message)?.[1] : undefined
  if (proxyStatus !== undefined) return `PROXY_${proxyStatus}`
  if (invalid.test(codeOf(error))) return unmakeable
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = codeOf(cause)
  return tlsFailureOf(code) ?? code
}

/** Each header's first value; of `set-cookie` all of them, one a line. */
export function singleHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const one = Array.isArray(value) ? (name === 'set-cookie' ? value.join('\n') : value[0]) : value
      return [name, one]
    }),
  )
}
