/** The frame of both simulators: a real HTTP server on loopback, a ledger of what came, and answers that can go wrong. */
import { once, setMaxListeners } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Clock, pause } from '../lib/clock.ts'

/** One request as it came in, kept for ever. */
export interface Received {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Milliseconds since 1970, when the whole body was there. */
  readonly receivedAt: number
  /** What was answered; 0 until it is answered, and for good when it hung or was reset. */
  status: number
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  /** Text goes out as it is, anything else as JSON. */
  body?: string | object
}

/**
 * What to do instead of, or on top of, the normal answer. `{}` is the normal answer. `status`, `body`, `redirect`,
 * `hang` and `reset: 'before'` take the place of processing; the others process the request and spoil its answer.
 */
export interface Action {
  /** Waits first, whatever comes then. */
  delayMs?: number
  status?: number
  headers?: Record<string, string>
  body?: string | object
  /** 307 to this address. */
  redirect?: string
  /** Never answers; the connection stays open until the client or the simulator closes. */
  hang?: true
  /** TCP reset: nothing was processed (`before`), or everything was and the answer is lost (`after`). */
  reset?: 'before' | 'after'
  /** One byte of the answer at a time, this many milliseconds apart. */
  drip?: number
  /** The answer's body is replaced by this many bytes. */
  hugeBody?: number
  /** The answer's body is replaced by this text. */
  saidInstead?: string
}

export interface Site {
  clock: Clock
  /** 0: a free one. */
  port: number
  requests: Received[]
  /** What a GET of a person's browser gets that is not the partner's: such requests are not in the ledger. */
  pageOf(request: Received): Reply | undefined
  /** What this request gets: the normal answer, computed when called, and perhaps something that goes wrong. */
  respond(request: Received): { action?: Action | undefined; answer: () => Reply }
  /** Called after each request was processed, so that those who wait look again. */
  changed(): void
}

export interface Listener {
  url: string
  /** Ends open connections too, the hanging ones included. */
  close(): Promise<void>
}

const host = '127.0.0.1'

export async function listen(site: Site): Promise<Listener> {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const server = createServer((incoming, outgoing) => {
    exchange(site, incoming, outgoing, closing.signal).catch((error: unknown) => {
      // A mistake in a test's own script must be seen; a client that left early needs no answer.
      if (outgoing.headersSent || !incoming.complete) incoming.destroy()
      else outgoing.writeHead(500).end(`the simulator failed: ${error}`)
    })
  })
  server.listen(site.port, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      closing.abort()
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function exchange(site: Site, incoming: IncomingMessage, outgoing: ServerResponse, closing: AbortSignal) {
  const request = await receive(incoming, site.clock)
  const pageOf = request.method === 'GET' ? site.pageOf(request) : undefined
  if (pageOf) return await write(outgoing, pageOf)
  site.requests.push(request)
  const { action = {}, answer } = site.respond(request)
  if (action.delayMs !== undefined) await pause(site.clock, action.delayMs, closing)
  if (closing.aborted) return
  const reply = action.hang || action.reset === 'before' ? undefined : (instead(action) ?? answer())
  if (reply && action.reset === undefined) request.status = reply.status
  site.changed()
  if (action.reset !== undefined) incoming.socket.resetAndDestroy()
  else if (reply) await write(outgoing, reply, action, (delayMs) => pause(site.clock, delayMs, closing))
}

async function receive(incoming: IncomingMessage, clock: Clock): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { pathname, searchParams } = new URL(incoming.url ?? '/', `http://${host}`)
  return {
    method: incoming.method ?? 'GET',
    path: pathname,
    query: searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    receivedAt: clock.now(),
    status: 0,
  }
}

/** The reply that an action puts in the place of processing, if it does. */
function instead({ status, headers = {}, body, redirect }: Action): Reply | undefined {
  if (redirect !== undefined) return { status: status ?? 307, headers: { ...headers, location: redirect } }
  if (status === undefined && body === undefined) return undefined
  return { status: status ?? 200, headers, ...(body === undefined ? {} : { body }) }
}

async function write(
  outgoing: ServerResponse,
  reply: Reply,
  { drip, hugeBody, saidInstead }: Action = {},
  wait: (delayMs: number) => Promise<void> = async () => {},
): Promise<void> {
  const { status, headers = {}, body = '' } = reply
  outgoing.statusCode = status
  outgoing.setHeader('content-type', typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json')
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
  const text = saidInstead ?? (typeof body === 'string' ? body : JSON.stringify(body))
  if (hugeBody === undefined && drip === undefined) {
    outgoing.end(text)
    return
  }
  outgoing.flushHeaders()
  const bytes = hugeBody === undefined ? slowly(text, drip ?? 0, wait) : filler(hugeBody)
  // The client is expected to lose its patience: that it left is what was wanted.
  await pipeline(Readable.from(bytes), outgoing).catch(() => {})
}

async function* slowly(text: string, drip: number, wait: (delayMs: number) => Promise<void>) {
  for (const byte of Buffer.from(text)) {
    yield Buffer.of(byte)
    await wait(drip)
  }
}

function* filler(bytes: number) {
  const block = Buffer.alloc(64 * 1024, 'x')
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left)
}
