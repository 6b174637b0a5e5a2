/**
 * Refused senders that are still writing: a connection that is closed with unread bytes is reset, and the reset overtakes
 * the answer. So what they go on sending is read and dropped for a moment, and they hear why they were refused.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'

const lingerMs = 1_000

/** A listener for 'prefinish': where an answer comes before the end of its request's body, changes how Node closes then. */
export function lingering(clock: Clock): (this: ServerResponse) => void {
  return function linger() {
    const request = this.req
    if (request.complete) return
    const { socket } = request
    const asNodeDoes = () => void delete (socket as Partial<Socket>).destroySoon
    // Node has decided by then; an idle connection is not to keep its last request.
    this.once('finish', asNodeDoes)
    socket.destroySoon = () => {
      asNodeDoes()
      if (request.complete || socket.destroyed) return socket.destroySoon()
      request.resume()
      socket.end()
      socket.once(
        'close',
        clock.after(lingerMs, () => socket.destroy()),
      )
    }
  }
}
