/**
 * What connections may take while their senders have proved nothing: how many there are, how far a sender may ask ahead of
 * the answers, and how long one may stand still.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** Connections at once. When they are all there, those between two requests are closed for newcomers. */
  connectionsMax: number
  /** Requests that one connection may send ahead of the answers. Browsers and proxies send none ahead. */
  aheadMax: number
  /** The same for all connections together: such a request costs some kB, and its answer, until the sender reads. */
  aheadInAllMax: number
  /** How long nothing may move on a connection while an answer is due: longer than any page takes, or a pause of SSE. */
  stillMsMax: number
}

const usual: ConnectionLimits = {
  connectionsMax: 10_000,
  aheadMax: 100,
  aheadInAllMax: 1_000,
  stillMsMax: 120_000,
}

/** Holds a server to the limits; the answer says of each request whether it may be answered, else its connection is gone. */
export function limitConnections(
  server: Server,
  { connectionsMax, aheadMax, aheadInAllMax, stillMsMax }: ConnectionLimits = usual,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const unanswered = new Map<Socket, number>()
  let ahead = 0

  // The last one finds room, closes idle ones, and the next has room again.
  server.maxConnections = connectionsMax
  server.timeout = stillMsMax
  server.on('connection', (socket) => {
    unanswered.set(socket, 0)
    socket.once('close', () => {
      ahead -= Math.max(unanswered.get(socket)! - 1, 0)
      unanswered.delete(socket)
    })
    if (unanswered.size >= connectionsMax) server.closeIdleConnections()
  })

  function answered(this: ServerResponse): void {
    const { socket } = this.req
    const before = unanswered.get(socket)
    if (before === undefined) return
    unanswered.set(socket, before - 1)
    if (before > 1) ahead--
  }

  return ({ socket }, response) => {
    const before = unanswered.get(socket)
    // Closed already: the rest of what it had sent is parsed all the same.
    if (before === undefined || socket.destroyed) return false
    // Once the last answer has gone out, what a sender goes on sending would be kept for as long as it arrives.
    if (socket.writableEnded || (before > 0 && (before > aheadMax || ahead >= aheadInAllMax))) {
      socket.destroy()
      return false
    }
    unanswered.set(socket, before + 1)
    if (before > 0) ahead++
    response.on('finish', answered)
    return true
  }
}
