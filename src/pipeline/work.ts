/** The loop: whenever something is due in a lane, it is claimed and worked on, a few accounts at once. */
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Inbox, Lane, Lease } from '../storage/ports.ts'

export interface Work {
  /** Something may be due now. */
  wake(): void
  /** Takes nothing new and resolves when what is under way has been settled. */
  stop(): Promise<void>
}

interface Needs {
  inbox: Inbox
  lane: Lane
  work(lease: Lease): Promise<void>
  clock: Clock
  log: Log
  leaseMs: number
  /** Accounts worked on at once: the slow ones must leave room for the others. */
  accountsMax: number
  limit: number
}

/** Bodies in one lease: two requests' worth, so that many accounts at once stay within memory. */
const bytesMax = 1_000_000
/** How long to leave a store alone that has just failed. */
const storeRestMs = 1_000

export function working({ inbox, lane, work, clock, log, leaseMs, accountsMax, limit }: Needs): Work {
  const turns = new Set<Promise<void>>()
  let woken = false
  let stopped = false
  let cancelTimer = () => {}

  /** One turn works on account after account until nothing is due. */
  async function turn(): Promise<void> {
    try {
      for (;;) {
        woken = false
        const lease = stopped ? undefined : await inbox.claim(lane, { now: clock.now(), leaseMs, limit, bytesMax })
        if (!lease) {
          if (woken && !stopped) continue
          return await sleepUntilDue()
        }
        start()
        await work(lease)
      }
    } catch (error) {
      // The lease runs out and is counted as a crash: an entry that breaks the work is found and set aside.
      log.error('work_failed', { lane, code: codeOf(error) })
      wakeAfter(storeRestMs)
    }
  }

  async function sleepUntilDue(): Promise<void> {
    const due = stopped ? undefined : await inbox.nextDue(lane)
    if (due !== undefined) wakeAfter(Math.max(due - clock.now(), 1))
  }

  function wakeAfter(delayMs: number): void {
    cancelTimer()
    if (!stopped) cancelTimer = clock.after(delayMs, wake)
  }

  function start(): void {
    if (stopped || turns.size >= accountsMax) return
    const running = turn().finally(() => turns.delete(running))
    turns.add(running)
  }

  function wake(): void {
    woken = true
    start()
  }

  return {
    wake,
    async stop() {
      stopped = true
      cancelTimer()
      await Promise.all(turns)
    },
  }
}
