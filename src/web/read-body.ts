/** Takes a request's body in, as far as it may come: at most so many bytes, and while the budget has room for it. */
import type { IncomingMessage } from 'node:http'
import type { BodyBudget } from './body-budget.ts'

/** `too_large`: it grew past the limit. `cut`: the budget for strangers was full. `left`: the sender went away. */
export type Taken = Buffer | 'too_large' | 'cut' | 'left'

/**
 * By events: an async iterator over the request costs more than reading and judging what is in it. Without a `budget` the
 * sender has proved who it is.
 */
export function readBody(request: IncomingMessage, bytesMax: number, budget?: BodyBudget): Promise<Taken> {
  return new Promise((resolve) => {
    const collected = collector(bytesMax)
    const end = (taken: Taken) => {
      allowance?.end()
      request.off('data', take)
      resolve(taken)
    }
    const stop = (why: 'too_large' | 'cut') => {
      request.pause()
      collected.drop()
      end(why)
    }
    const allowance = budget?.begin(() => stop('cut'))
    const take = (chunk: Buffer) => {
      if (!collected.add(chunk)) return stop('too_large')
      allowance?.add(chunk.length)
    }
    const left = () => end('left')
    request.on('data', take).once('error', left).once('close', left)
    request.once('end', () => end(collected.whole()))
  })
}

/**
 * One buffer that grows by doubling: a sender of single bytes would else take two hundred times what it sends. A body
 * that comes in one piece, as most do, is not copied.
 */
function collector(bytesMax: number) {
  let buffer: Buffer = Buffer.alloc(0)
  let bytes = 0
  return {
    /** False when it is too much. */
    add(chunk: Buffer): boolean {
      if (bytes + chunk.length > bytesMax) return false
      if (bytes === 0) buffer = chunk
      else {
        if (bytes + chunk.length > buffer.length) {
          const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(bytes + chunk.length, buffer.length * 2), bytesMax))
          buffer.copy(larger, 0, 0, bytes)
          buffer = larger
        }
        chunk.copy(buffer, bytes)
      }
      bytes += chunk.length
      return true
    },
    whole: () => buffer.subarray(0, bytes),
    drop() {
      buffer = Buffer.alloc(0)
      bytes = 0
    },
  }
}
