/**
 * When something is due in a lane of either kind, as far as this process knows. After each lease's end the loop asks for more,
 * and mostly nothing is there: where the last claim took all that was due, and nothing has woken since, that needs no
 * statement. What another replica knows alone is found by the look that each takes every second, as ever.
 */
import type { Lane, LaneKey } from '../ports/entry.ts'
import type { Inbox } from '../ports/inbox.ts'

export interface KnownDue {
  /** Something may be due in these lanes, or in any. */
  woke(lanes?: readonly Pick<LaneKey, 'lane'>[]): void
  /** A lease has been given back; `readyAt`: when its lane is ready again, if something is in it. */
  ended(lane: Lane, readyAt: number | undefined): void
  /** The same claim, without a statement where nothing is due. */
  claiming(claim: Inbox['claim']): Inbox['claim']
}

export function openKnownDue(): KnownDue {
  const known = new Map<Lane, { nextDue: number | undefined }>()
  /** Claims under way by lane: what they find may be older than what has woken meanwhile. */
  const looking = new Map<Lane, { isOld: boolean }>()

  function forget(lane: Lane): void {
    known.delete(lane)
    const look = looking.get(lane)
    // mutant: believes a claim that began before something woke
    if (look) look.isOld = true
  }

  return {
    woke(lanes = [{ lane: 'send' }, { lane: 'ask' }]) {
      for (const { lane } of lanes) forget(lane)
    },
    ended(lane, readyAt) {
      const was = known.get(lane)
      if (readyAt === undefined) return
      if (was) known.set(lane, { nextDue: Math.min(readyAt, was.nextDue ?? readyAt) })
      else forget(lane)
    },
    claiming: (claim) => async (lane, options) => {
      const was = known.get(lane)
      // mutant: takes what has become due for what is due later
      const isLater = was !== undefined && !(was.nextDue !== undefined && was.nextDue <= options.now)
      if (options.onlyEnded && isLater) return { leases: [], nextDue: was.nextDue }
      const look = { isOld: false }
      forget(lane)
      looking.set(lane, look)
      const claimed = await claim(lane, options)
      if (claimed.leases.length < options.room && !look.isOld) known.set(lane, { nextDue: claimed.nextDue })
      return claimed
    },
  }
}
