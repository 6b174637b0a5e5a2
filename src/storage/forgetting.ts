/**
 * The walks by which an engine takes away entries and identities that have outlived their time: some keys a step, from the
 * lowest to the highest and then again. An index on their time would cost every event a page of its own.
 */
import type { Limits } from './ports/inbox.ts'

/** Identities looked at in one step: a few milliseconds, and a thousand events a second are kept up with. */
export const stepKeys = 10_000

export interface Walk {
  /** The id of the entry after which the next step begins. */
  entry: number
  /** The key after which the next step begins. */
  from(limits: Limits): Uint8Array
  /** Where the step has ended; undefined when there was no key beyond it. */
  reached(last: Uint8Array | undefined): void
}

const walks = new WeakMap<object, Walk>()

/** Those of an open store; a process that has just begun begins at the lowest keys. */
export function walkOf(store: object): Walk {
  const walk = walks.get(store) ?? newWalk()
  walks.set(store, walk)
  return walk
}

function newWalk(): Walk {
  let after: Uint8Array = Buffer.alloc(0)
  return {
    entry: 0,
    from({ youngAfter, now }) {
      // What lies between is passed over, almost all there is.
      const [young, ahead] = [keyAt(youngAfter), keyAt(now)]
      if (Buffer.compare(after, young) > 0 && Buffer.compare(after, ahead) < 0) after = ahead
      return after
    },
    reached(last) {
      after = last ?? Buffer.alloc(0)
    },
  }
}

const secondsMax = 2 ** 32 - 1

/** Below the identities of all events of that time and later. */
function keyAt(time: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeUInt32BE(Math.min(Math.max(Math.floor(time / 1_000), 0), secondsMax))
  return key
}
