/** The listener: limits against slow and oversized senders, and routes by exact path and method. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { notListening } from '../../lib/not-listening.ts'
import { limitConnections } from './connections.ts'
import { lingering } from './lingering.ts'

/** `allowBody` lets a sender go on that asked with `Expect: 100-continue`; without it the body is never sent. */
export type Route = (request: IncomingMessage, response: ServerResponse, allowBody: () => void) => Promise<void> | void

/** By path, then by method. HEAD is answered where GET is. */
export type Routes = Record<string, Partial<Record<'GET' | 'POST', Route>>>

export interface Listener {
  port: number
  /** Accepts nothing new and resolves when what is under way has been answered. */
  close(): Promise<void>
}

/** How long a sender may take for a whole request. */
const requestMsMax = 10_000
/** Of 32 bytes each, these fill what headers may take. Smaller ones cost ten times their bytes while they come in. */
const headersMax = 1_000
/** A parent domain's cookies may take several times 8 KiB; with the request line this is a little over 32 KiB. */
const headerBytesMax = 34 * 1024

/**
 * Connections that wait to be accepted; the system may allow fewer. A sender that finds no room tries again a second
 * later, which is too long for a webhook behind a burst of strangers.
 */
const backlogMax = 4_096

/** Where to listen, and by which settings that was said. */
export interface Address {
  host: string
  port: number
  settings: string
}

/** `otherwise` answers what has no route here; without it that is 404. */
export async function listen(
  routes: Routes,
  { host, port, settings }: Address,
  clock: Clock,
  otherwise?: Route,
): Promise<Listener> {
  let closing = false
  const server = createServer({
    headersTimeout: 5_000,
    requestTimeout: requestMsMax,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 65_000,
    maxHeaderSize: headerBytesMax,
    insecureHTTPParser: false,
  })
  // Node cuts a longer list silently, and the token could be among what is lost: one more, so that it is seen and refused.
  server.maxHeadersCount = headersMax + 1
  const mayBeAnswered = limitConnections(server)
  const linger = lingering(clock)
  const take = async (request: IncomingMessage, response: ServerResponse, allowBody: () => void) => {
    if (!mayBeAnswered(request, response)) return
    response.on('prefinish', linger)
    request.url = ownForm(request.url ?? '')
    await route(routes, otherwise, request, response, allowBody)
    // Kept alive, the connection would keep a closing server from ending for another minute.
    if (closing) request.socket.end()
  }
  server.on('request', (request, response) => void take(request, response, () => {}))
  server.on('checkContinue', (request, response) => void take(request, response, () => response.writeContinue()))
  // Another expectation than 100-continue is refused by Node itself with 417.
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(notListening({ host, port }, `set ${settings}`, cause)))
    server.listen({ port, host, backlog: backlogMax }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // A closing server of Node's no longer counts the time of slow senders.
      const cancel = clock.after(requestMsMax, () => server.closeAllConnections())
      await closed
      cancel()
    },
  }
}

/** Where Drift sends browsers back to; some configure it with a slash at its end. */
const callback = '/connect/callback'

/**
 * A request target by its path alone: proxies may send it in absolute form (RFC 9112, 3.2.2), and no answer depends on
 * what it calls this host.
 */
function ownForm(target: string): string {
  const [path = '', query] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/\?(.*)/s, 2)
  const own = path === `${callback}/` ? callback : path || '/'
  return query === undefined ? own : `${own}?${query}`
}

/** Answers with JSON that says nothing of the request, so that nothing of it can be reflected. */
export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

async function route(
  routes: Routes,
  otherwise: Route | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  allowBody: () => void,
): Promise<void> {
  const close = { connection: 'close' }
  if (request.rawHeaders.length > headersMax * 2)
    return answer(response, 431, { ok: false, error: 'too_many_headers' }, close)
  const path = (request.url ?? '').split('?', 1)[0]!
  const exact = Object.hasOwn(routes, path) ? ofMethod(routes[path]!, request.method) : undefined
  const found = exact ?? (path.startsWith('/') ? otherwise : undefined)
  if (!found) return answer(response, 404, { ok: false, error: 'not_found' }, close)
  try {
    await found(request, response, allowBody)
  } catch {
    if (!response.headersSent) answer(response, 500, { ok: false, error: 'internal' }, close)
  }
}

function ofMethod(methods: Partial<Record<'GET' | 'POST', Route>>, method = 'GET'): Route {
  const found = methods[method === 'HEAD' ? 'GET' : (method as 'GET' | 'POST')]
  return (
    found ??
    ((_request, response) =>
      answer(
        response,
        405,
        { ok: false, error: 'method_not_allowed' },
        { allow: allowed(methods), connection: 'close' },
      ))
  )
}

function allowed(methods: Partial<Record<'GET' | 'POST', Route>>): string {
  return Object.keys(methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
}
