/** Settles what becomes of a lease's entries while the lease goes on: one transaction at a time, and what comes meanwhile is the next. */
import type { Inbox, Lease, Settlement } from '../storage/ports/inbox.ts'

export interface Settler {
  /** What became of some entries: kept until it is settled, or until the lease ends. */
  add(settlements: readonly Settlement[]): void
  /** Settles what has been added. */
  flush(): void
  /** Settles these now; false when the caller has lost the lease. */
  now(settlements: readonly Settlement[]): Promise<boolean>
  /** The caller has lost the lease, or the store failed: the work must stop. */
  isBroken(): boolean
  /**
   * What is still to be settled, for the lease's end, once nothing is under way; undefined when the caller has lost
   * the lease. Rejects when the store failed.
   */
  finish(): Promise<Settlement[] | undefined>
  /** The work on the lease failed: settles what can be settled still, so that what Segment has taken does not go again. */
  giveUp(): Promise<void>
}

interface Needs {
  inbox: Pick<Inbox, 'settle'>
  /** Called before each; what it returns is called when the store has it. */
  letGo(ids: readonly number[]): () => void
  /** Called when a transaction has ended. */
  done(): void
}

export function settler({ inbox, letGo, done }: Needs, lease: Lease): Settler {
  const pending: Settlement[] = []
  let underWay: Promise<void> | undefined
  let isOurs = true
  let isEnding = false
  let failure: { error: unknown } | undefined

  async function settle(settlements: readonly Settlement[]): Promise<boolean> {
    const gone = letGo(settlements.map(({ id }) => id))
    if (await inbox.settle(lease, settlements)) gone()
    else isOurs = false
    return isOurs
  }

  async function settleAll(): Promise<void> {
    // Of several answers in one turn of the event loop, each has been added by then.
    await new Promise(setImmediate)
    while (pending.length > 0 && isOurs && !isEnding) await settle(pending.splice(0))
  }

  async function finish(): Promise<Settlement[] | undefined> {
    isEnding = true
    await underWay
    if (failure) throw failure.error
    return isOurs ? pending.splice(0) : undefined
  }

  return {
    add: (settlements) => void pending.push(...settlements),
    flush() {
      if (pending.length === 0 || underWay !== undefined) return
      underWay = settleAll()
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => {
          underWay = undefined
          done()
        })
    },
    now: settle,
    isBroken: () => !isOurs || failure !== undefined,
    finish,
    async giveUp() {
      // What failed first is what the caller reports.
      await finish()
        .then((rest) => (rest && rest.length > 0 ? settle(rest) : undefined))
        .catch(() => {})
    },
  }
}
