/** Takes a request's body in, as far as it may come: at most so many bytes, and while the budget has room for it. */
import type { IncomingMessage } from 'node:http'
import type { BodyBudget } from './body-budget.ts'

/** Why the body was not read. `too_large`: it grew past the limit. `cut`: the budget was full. `left`: the sender went away. */
export type NotTaken = 'too_large' | 'cut' | 'left'

interface Limits<Made> {
  bytesMax: number
  /** None: the sender has proved who it is. */
  budget: BodyBudget | undefined
  /** What is made of the whole body; until that is there the body counts in the budget. */
  make(whole: Buffer): Made | Promise<Made>
}

/** By events: an async iterator over the request costs more than reading and judging what is in it. */
export function readBody<Made>(
  request: IncomingMessage,
  { bytesMax, budget, make }: Limits<Made>,
): Promise<Made | NotTaken> {
  return new Promise((resolve, reject) => {
    const collected = collector()
    const end = (taken: Made | NotTaken) => {
      allowance?.end()
      request.off('data', take).off('end', whole).off('error', left).off('close', left)
      resolve(taken)
    }
    const stop = (why: 'too_large' | 'cut') => {
      collected.drop()
      end(why)
      // What still comes is dropped, so that the sender does not wait before it hears the answer.
      request.resume()
    }
    const allowance = budget?.begin(() => stop('cut'))
    const take = (chunk: Buffer) => {
      if (collected.add(chunk) > bytesMax) return stop('too_large')
      allowance?.add(chunk.length)
    }
    const left = () => end('left')
    const fail = (error: unknown) => {
      reject(error)
      end('left')
    }
    const whole = () => {
      try {
        const made = make(collected.whole())
        if (!(made instanceof Promise)) return end(made)
        // Node calls a request closed as soon as it has been read.
        request.off('close', left)
        made.then(end, fail)
      } catch (error) {
        fail(error)
      }
    }
    request.on('data', take).on('end', whole).on('error', left).on('close', left)
  })
}

/** Smaller pieces are put together: each costs a few hundred bytes beside its own. */
const pieceBytesMin = 4 * 1024

/** Takes the room of what was added and little more, also of single bytes. A large piece is not copied until the end. */
function collector() {
  let pieces: Buffer[] = []
  let bytes = 0
  /** Small pieces are copied into it; from `start` to `end` it is not among the pieces yet. */
  let tail: Buffer = Buffer.alloc(0)
  let start = 0
  let end = 0

  function endTail(): void {
    if (end > start) pieces.push(tail.subarray(start, end))
    start = end
  }

  function copy(chunk: Buffer): void {
    for (let copied = 0; copied < chunk.length; ) {
      if (end === tail.length) {
        endTail()
        tail = Buffer.allocUnsafeSlow(pieceBytesMin)
        start = end = 0
      }
      const now = chunk.copy(tail, end, copied)
      copied += now
      end += now
    }
  }

  return {
    /** How many bytes there are now. */
    add(chunk: Buffer): number {
      if (bytes > 0 && chunk.length < pieceBytesMin) copy(chunk)
      else {
        endTail()
        pieces.push(chunk)
      }
      bytes += chunk.length
      return bytes
    },
    whole(): Buffer {
      endTail()
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes)
    },
    drop(): void {
      pieces = []
      tail = Buffer.alloc(0)
      start = end = 0
    },
  }
}
