/** What stands between a real browser and the service, to change what they hear of each other. */
import { once } from 'node:events'
import { request as ask, createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ProxyServer {
  url: string
  /** Where requests go; set when the service listens, which wants to know the proxy's address first. */
  target: string
  close(): Promise<void>
}

interface Manners {
  /** Whether a header of a request goes on to the service. */
  passes?(name: string): boolean
  sees?(request: IncomingMessage): void
  /** Resolves when the answer to this request may go back. */
  answers?(request: IncomingMessage): Promise<void>
}

export async function startProxy({ passes = () => true, sees, answers }: Manners): Promise<ProxyServer> {
  const server = createServer((incoming, answer) => {
    sees?.(incoming)
    const { method, url } = incoming
    const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => passes(name)))
    const { hostname, port } = new URL(proxy.target)
    const on = ask({ hostname, port, method, path: url, headers }, async (heard) => {
      await answers?.(incoming)
      answer.writeHead(heard.statusCode!, heard.headers)
      heard.pipe(answer)
    })
    on.on('error', () => answer.destroy())
    incoming.pipe(on)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: ProxyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: '',
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return proxy
}
