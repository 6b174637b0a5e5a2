/**
 * Refused senders that are still writing: a connection that is closed with unread bytes is reset, and the reset overtakes
 * the answer. So what they go on sending is read and dropped for a moment, and they hear why they were refused.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../lib/clock.ts'

const lingerMs = 1_000

/** For a request with a body: changes how Node closes its connection after an answer that came before the body's end. */
export function lingerAfter(request: IncomingMessage, clock: Clock): void {
  const { socket } = request
  socket.destroySoon = () => {
    // Node's own way from here on.
    delete (socket as Partial<Socket>).destroySoon
    if (request.complete || socket.destroyed) return socket.destroySoon()
    request.resume()
    socket.end()
    socket.once(
      'close',
      clock.after(lingerMs, () => socket.destroy()),
    )
  }
}
