/**
 * Who is to work on what has just woken up. A process that takes it itself within a moment says nothing to the others: a
 * word to each of them for every webhook would cost each a claim that finds nothing.
 */
import type { Clock } from '../../lib/clock.ts'
import type { LaneKey } from '../ports/entry.ts'
import type { Inbox } from '../ports/inbox.ts'

/** So long a process has for itself; a free one claims within a few milliseconds. */
const aloneMs = 25

/** `tell`: what is said to the others. */
export function openWaking(tell: () => void, clock: Pick<Clock, 'after'>) {
  const waiting = new Map<string, LaneKey>()
  let cancel: (() => void) | undefined

  function done(isDone: (woken: LaneKey) => boolean): void {
    for (const [key, woken] of waiting) if (isDone(woken)) waiting.delete(key)
    if (waiting.size > 0) return
    cancel?.()
    cancel = undefined
  }

  function tellNow(): void {
    waiting.clear()
    cancel = undefined
    tell()
  }

  return {
    woke(lanes: readonly LaneKey[]): void {
      for (const woken of lanes) waiting.set(nameOf(woken), woken)
      if (waiting.size === 0) return
      // mutant: says to no other replica what it has no room for
      cancel ??= clock.after(aloneMs, tellNow)
    },
    /** The same claim, which takes notice of what it found; one that has room left leaves nothing of its lane to others. */
    claiming(claim: Inbox['claim']): Inbox['claim'] {
      return async (lane, options) => {
        const before = new Set(waiting.values())
        const claimed = await claim(lane, options)
        const taken = new Set(claimed.leases.map(nameOf))
        const hasSeenAll = taken.size < options.room
        // mutant: takes what woke during a claim for what the claim has seen
        done((woken) => woken.lane === lane && (taken.has(nameOf(woken)) || (hasSeenAll && before.has(woken))))
        return claimed
      }
    },
    /** What is still to be done here is for the others. */
    close(): void {
      cancel?.()
      if (waiting.size > 0) tellNow()
    },
  }
}

function nameOf({ org, destination, lane }: LaneKey): string {
  return `${lane} ${destination} ${org}`
}
