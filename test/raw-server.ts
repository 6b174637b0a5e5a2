/** A partner that answers with bytes, as no HTTP library would: for answers that are broken on the way. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface RawServer {
  url: string
  /** How many requests came. */
  requests(): number
  close(): Promise<void>
}

/** Each request is read whole, is answered with `bytes`, and its connection closed. */
export async function startRaw(bytes: string | Buffer): Promise<RawServer> {
  let requests = 0
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      const [head, body] = heard.split(/\r\n\r\n(.*)/s)
      const length = Number(/content-length: (\d+)/i.exec(head!)?.[1] ?? 0)
      if (body === undefined || body.length < length) return
      requests++
      socket.end(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
