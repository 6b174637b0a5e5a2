/** The loop: whenever something is due in a lane, it is claimed and worked on, a few accounts at once. */
import { backoffMsMax } from '../lib/backoff.ts'
import { type Clock, type Look, lookAt, pause, skewMsMax } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Holder, Inbox, Lane, Lease, Org } from '../storage/ports.ts'
import { unprobed } from './settle.ts'

export interface Work {
  /** Something may be due now. */
  wake(): void
  /** Takes nothing new and resolves when what is under way has been settled. */
  stop(): Promise<void>
}

interface Needs {
  inbox: Inbox
  /** Of this process: unlike that of any other. */
  holder: string
  lane: Lane
  /**
   * `hasRoom`: whether so few accounts are under way now that a lease may go on to more entries. `claimedAt`: a look
   * at the clocks before its claim.
   */
  work(lease: Lease, hasRoom: () => boolean, claimedAt: Look): Promise<void>
  clock: Clock
  log: Log
  leaseMs: number
  /** Accounts worked on at once: the slow ones must leave room for the others. */
  accountsMax: number
  limit: number
  bytesMax: number
}

/** After so many leases in a row that ended without a word: as many as make an engine give out single entries. */
const crashesBeforeAlone = 3
/** After so many with the same entry alone, that entry is quarantined. */
const crashesBeforeQuarantine = 10
/** Of the accounts that may be under way at once: with no more than these, each may take more than a claim's worth. */
const few = 1 / 8
/** How long to leave a store alone that has just failed. */
const storeRestMs = 1_000
/**
 * The store is to blame, and no entry: what was under way is taken up again as soon as it is back. A statement that it
 * refuses may be refused for what an entry has in it.
 */
const storeFault = /^store_(?!statement_failed$)/

export function working({ inbox, holder, lane, work, clock, log, leaseMs, accountsMax, limit, bytesMax }: Needs): Work {
  const underWay = new Set<Promise<void>>()
  /** The accounts whose leases are in our hands; a lease of ours on any other is taken back. */
  const busy = new Set<Org>()
  let claiming: Promise<void> | undefined
  /**
   * At the start and every fifteen minutes a claim also takes what some clock has put far ahead, each account once: where
   * the clock of another replica is ahead, the two must not keep each other from ever waiting.
   */
  let sweep: Set<Org> | undefined
  let sweepAt = Number.NEGATIVE_INFINITY
  let woken = false
  let stopped = false
  const stopping = new AbortController()
  let cancelTimer = () => {}

  /** One claim at a time, until nothing is due or enough is under way. */
  async function claimAll(): Promise<void> {
    while (!stopped && underWay.size < accountsMax) {
      woken = false
      const claimedAt = lookAt(clock)
      const { now } = claimedAt
      if (!sweep && clock.monotonic() >= sweepAt) {
        await inbox.shortenLeases(now + leaseMs + skewMsMax)
        sweep = new Set()
      }
      // mutant: waits for what a clock has written that has been set back since
      const farAhead = sweep !== undefined
      const lease = await inbox.claim(lane, { now, leaseMs, limit, bytesMax, holder: self(), farAhead })
      if (sweep) swept(sweep, lease)
      if (lease) busy.add(lease.org)
      if (lease && lease.crashes >= crashesBeforeAlone) await alone(lease, claimedAt)
      else if (lease) begin(lease, claimedAt)
      else if (!woken) return sleepUntilDue()
    }
  }

  /** Claims serve the lane first that was served longest ago: one that comes again has been through all of them. */
  function swept(orgs: Set<Org>, lease: Lease | undefined): void {
    if (lease && !orgs.has(lease.org)) orgs.add(lease.org)
    else {
      sweep = undefined
      sweepAt = clock.monotonic() + backoffMsMax
    }
  }

  /**
   * What may have ended the process is worked on while nothing else is: should it end it again, only its own account is
   * blamed, and the innocent that were under way with it before have shown that they are.
   */
  async function alone(lease: Lease, claimedAt: Look): Promise<void> {
    await underWayEnds()
    begin(lease, claimedAt)
    await underWayEnds()
  }

  /** Or has had its time: a partner's slow answer must not cost a lease that waits here. */
  async function underWayEnds(): Promise<void> {
    const patience = new AbortController()
    await Promise.race([Promise.all(underWay), pause(clock, leaseMs / 3, patience.signal)])
    patience.abort()
  }

  async function sleepUntilDue(): Promise<void> {
    const due = await inbox.nextDue(lane, self())
    if (due !== undefined) wakeAfter(Math.min(Math.max(due - clock.now(), 1), backoffMsMax))
  }

  /** In one step with the lease's end: the next in line must not be taken for it. No partner was asked, so nothing else is known. */
  async function quarantine(lease: Lease): Promise<void> {
    const [at, { org, crashes }] = [clock.now(), lease]
    const settlements = lease.entries.map(({ id }) => ({ id, to: 'quarantined', at, reason: 'crashes' }) as const)
    const ending = lease.trouble === undefined ? { readyAt: at, failures: 0 } : unprobed(lease, at)
    if (await inbox.settle(lease, settlements, ending)) log.error('quarantined', { lane, org, crashes })
  }

  function self(): Holder {
    // mutant: takes a lease that it works on for one that got lost
    return { id: holder, busy: [...busy] }
  }

  /**
   * An entry that breaks the work is found, by crashes that are counted, and quarantined. Where the store failed, nothing
   * can be said of the entries, or to the store: we take the lease back when the store is there again.
   */
  async function failed(lease: Lease, error: unknown): Promise<void> {
    const code = codeOf(error)
    log.error('work_failed', { lane, org: lease.org, code })
    // mutant: blames an entry for what the store did
    if (storeFault.test(code)) return rest()
    const { failures, trouble } = lease
    const ending = { readyAt: clock.now() + leaseMs, failures, crashed: true, ...(trouble && { trouble }) } as const
    await inbox.settle(lease, [], ending).catch(rest)
  }

  function rest(): Promise<void> {
    return pause(clock, storeRestMs, stopping.signal)
  }

  function hasRoom(): boolean {
    return !stopped && underWay.size <= accountsMax * few
  }

  function begin(lease: Lease, claimedAt: Look): void {
    const isToBlame = lease.crashes >= crashesBeforeQuarantine && lease.entries.length === 1
    const ended = (isToBlame ? quarantine(lease) : work(lease, hasRoom, claimedAt))
      .catch((error: unknown) => failed(lease, error))
      .finally(() => {
        underWay.delete(ended)
        busy.delete(lease.org)
        wake()
      })
    underWay.add(ended)
  }

  function wakeAfter(delayMs: number): void {
    cancelTimer()
    if (!stopped) cancelTimer = clock.after(delayMs, wake)
  }

  function wake(): void {
    woken = true
    if (stopped) return
    claiming ??= claimAll()
      .catch((error: unknown) => {
        log.error('claim_failed', { lane, code: codeOf(error) })
        woken = false
        wakeAfter(storeRestMs)
      })
      .finally(() => {
        claiming = undefined
        // Woken after the last claim had looked: look again.
        if (woken && underWay.size < accountsMax) wake()
      })
  }

  return {
    wake,
    async stop() {
      stopped = true
      stopping.abort()
      cancelTimer()
      await claiming
      await Promise.all(underWay)
    },
  }
}
