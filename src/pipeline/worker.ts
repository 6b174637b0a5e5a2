/** The loop: whenever something is due in a lane, it is claimed and worked on, a few accounts at once. */
import { backoffMsMax } from '../lib/backoff.ts'
import { type Clock, type Look, lookAt, pause, skewMsMax } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import { resting } from '../lib/groups.ts'
import type { Log } from '../lib/log.ts'
import type { Lane, Org } from '../storage/ports/entry.ts'
import { crashesBeforeAlone, type Holder, type Inbox, type Lease } from '../storage/ports/inbox.ts'
import { openWaking, type Waking } from './lease-wake.ts'
import { unprobed } from './settle.ts'

export interface Work {
  /** From now on lanes are claimed, at once where it was woken before. */
  start(): void
  /**
   * Something may be due now. `org`: of this account alone, and behind what stands in its line already; where a lease of
   * it is under way here, that one hears of it. Otherwise the leases under way hear that their whole line may have changed.
   * `isReady`: false where the account's lanes were due, or leased, before: then no claim is needed for it.
   */
  wake(org?: Org, isReady?: boolean): void
  /** Something may be due now, as another process says: the leases under way find theirs by themselves. */
  due(): void
  /** Takes nothing new and resolves when what is under way has been settled. */
  stop(): Promise<void>
}

/** What a lease has of the loop while it is worked on. */
export interface Turn {
  /**
   * How many requests' worth of entries the lease may have in hand now: all leases share as many as accounts may be under
   * way. None where others may wait for a turn: then the lease takes up nothing more.
   */
  share(): number
  /** Calls back when something of the account may have come; `anywhere`: not only behind what stands in its line. */
  onWake(listener: (anywhere: boolean) => void): void
  /** Waits for a partner: meanwhile the lease is not at work here, and another may be. One wait at a time. */
  away(wait: () => Promise<void>): Promise<void>
}

interface Needs {
  inbox: Inbox
  /** Of this process: unlike that of any other. */
  holder: string
  lane: Lane
  /** `claimedAt`: a look at the clocks before the lease's claim. */
  work(lease: Lease, turn: Turn, claimedAt: Look): Promise<void>
  clock: Clock
  log: Log
  leaseMs: number
  /** Accounts worked on at once: the slow ones must leave room for the others. */
  accountsMax: number
  /**
   * Those of them that wait for no partner, at most; any number unless said. Where processors are full, more of them make each
   * turn longer and the next turns smaller: what comes for an account that waits for its turn goes together.
   */
  atWorkMax?: number
  limit: number
  bytesMax: number
}

/** Accounts that one claim leases: their entries are read at once. */
const roomMax = 8
/** After so many with the same entry alone, that entry is quarantined. */
const crashesBeforeQuarantine = 10
/** How long to leave a store alone that has just failed. */
const storeRestMs = 1_000
/**
 * The store is to blame, and no entry: what was under way is taken up again as soon as it is back. A statement that it
 * refuses may be refused for what an entry has in it.
 */
const storeFault = /^store_(?!statement_failed$)/

export function working(needs: Needs): Work {
  const {
    inbox,
    holder,
    lane,
    work,
    clock,
    log,
    leaseMs,
    accountsMax,
    atWorkMax = accountsMax,
    limit,
    bytesMax,
  } = needs
  const underWay = new Set<Promise<void>>()
  /** The accounts whose leases are in our hands, and how these are woken; a lease of ours on any other is taken back. */
  const busy = new Map<string, Waking & { lease: Lease }>()
  /** Of these something came since the claim under way began. */
  const cameMeanwhile = new Set<Org>()
  /** Leases that wait for a partner. */
  let away = 0
  let isAlone = false
  let claiming: Promise<void> | undefined
  /**
   * At the start and every fifteen minutes a claim also takes what some clock has put far ahead, each account once: where
   * the clock of another replica is ahead, the two must not keep each other from ever waiting.
   */
  let sweep: Set<string> | undefined
  let sweepAt = Number.NEGATIVE_INFINITY
  let woken = false
  /** Something may be due that no lease of ours has left behind. */
  let hasNews = true
  let started = false
  let stopped = false
  const stopping = new AbortController()
  /** Accounts that come one after the other share claims, and later ones more of their events. */
  const rest = resting(clock)
  let cancelTimer = () => {}

  /** One claim at a time, until nothing is due or enough is under way. */
  async function claimAll(): Promise<void> {
    while (!stopped && room() > 0) {
      await rest.over(stopping.signal)
      if (stopped) return
      woken = false
      cameMeanwhile.clear()
      const claimedAt = lookAt(clock)
      const { now } = claimedAt
      if (!sweep && clock.monotonic() >= sweepAt) {
        await inbox.shortenLeases(now + leaseMs + skewMsMax)
        sweep = new Set()
      }
      // mutant: waits for what a clock has written that has been set back since
      const farAhead = sweep !== undefined
      const most = Math.min(room(), roomMax)
      const onlyEnded = !hasNews && !farAhead
      hasNews = false
      const options = { now, leaseMs, limit, bytesMax, holder: self(), farAhead, room: most, onlyEnded }
      const { leases, nextDue } = await rest.after(() => inbox.claim(lane, options))
      if (sweep) swept(sweep, leases)
      hasNews ||= leases.length === most || farAhead
      for (const lease of leases) busy.set(nameOf(lease), { lease, ...openWaking(cameMeanwhile.has(lease.org)) })
      for (const lease of leases) {
        if (lease.crashes >= crashesBeforeAlone) await alone(lease, claimedAt)
        else begin(lease, claimedAt)
      }
      // A sweep goes on until it has been through all: the next due time says nothing of what is far ahead.
      if (leases.length < (farAhead ? 1 : most) && !woken) return sleepUntil(nextDue)
    }
  }

  /** Claims serve the lane first that was served longest ago: one that comes again has been through all of them. */
  function swept(lanes: Set<string>, leases: readonly Lease[]): void {
    const isThrough = leases.length === 0 || leases.some((lease) => lanes.has(nameOf(lease)))
    for (const lease of leases) lanes.add(nameOf(lease))
    if (!isThrough) return
    sweep = undefined
    sweepAt = clock.monotonic() + backoffMsMax
  }

  /**
   * What may have ended the process is worked on while nothing else is: should it end it again, only its own account is
   * blamed, and the innocent that were under way with it before have shown that they are.
   */
  async function alone(lease: Lease, claimedAt: Look): Promise<void> {
    isAlone = true
    await underWayEnds()
    begin(lease, claimedAt)
    await underWayEnds()
    isAlone = false
  }

  /** Or has had its time: a partner's slow answer must not cost a lease that waits here. */
  async function underWayEnds(): Promise<void> {
    const patience = new AbortController()
    await Promise.race([Promise.all(underWay), pause(clock, leaseMs / 3, patience.signal)])
    patience.abort()
  }

  function sleepUntil(due: number | undefined): void {
    if (due !== undefined) wakeAfter(Math.min(Math.max(due - clock.now(), 1), backoffMsMax))
  }

  /** In one transaction with the lease's end: else the next entry could be taken for it. No partner was called, so nothing else is known. */
  async function quarantine(lease: Lease): Promise<void> {
    const [at, { org, crashes }] = [clock.now(), lease]
    const settlements = lease.entries.map(({ id }) => ({ id, to: 'quarantined', at, reason: 'crashes' }) as const)
    const ending = lease.blocked === undefined ? { readyAt: at, failures: 0 } : unprobed(lease, at)
    if (await inbox.settle(lease, settlements, ending)) log.error('quarantined', { lane, org, crashes })
  }

  function self(): Holder {
    // mutant: takes a lease that it works on for one that got lost
    return {
      id: holder,
      busy: [...busy.values()].map(({ lease: { org, destination } }) => ({ org, lane, destination })),
    }
  }

  /**
   * An entry that breaks the work is found, by crashes that are counted, and quarantined. Where the store failed, nothing
   * can be said of the entries, or to the store: we take the lease back when the store is there again.
   */
  async function failed(lease: Lease, error: unknown): Promise<void> {
    const code = codeOf(error)
    // Its lease is not given back, or will be due at a time that only the store knows.
    hasNews = true
    log.error('work_failed', { lane, org: lease.org, code })
    // mutant: blames an entry for what the store did
    if (storeFault.test(code)) return leaveStoreAlone()
    const { failures, blocked } = lease
    const ending = { readyAt: clock.now() + leaseMs, failures, crashed: true, ...(blocked && { blocked }) } as const
    await inbox.settle(lease, [], ending).catch(leaveStoreAlone)
  }

  function leaveStoreAlone(): Promise<void> {
    return pause(clock, storeRestMs, stopping.signal)
  }

  async function whileAway(wait: () => Promise<void>): Promise<void> {
    away++
    // mutant: lets what waits for a partner keep others from their turn
    if (woken || hasNews) look()
    try {
      await wait()
    } finally {
      away--
    }
  }

  function room(): number {
    return Math.min(accountsMax - underWay.size, atWorkMax + away - underWay.size)
  }

  function share(): number {
    // mutant: lets leases that never end keep all others from their turn
    const othersMayWait = stopped || isAlone || underWay.size >= accountsMax || (hasNews && room() <= 0)
    return othersMayWait ? 0 : Math.floor(accountsMax / underWay.size)
  }

  function begin(lease: Lease, claimedAt: Look): void {
    const { onWake } = busy.get(nameOf(lease))!
    const isToBlame = lease.crashes >= crashesBeforeQuarantine && lease.entries.length === 1
    const ended = (isToBlame ? quarantine(lease) : work(lease, { share, onWake, away: whileAway }, claimedAt))
      .catch((error: unknown) => failed(lease, error))
      .finally(() => {
        underWay.delete(ended)
        busy.delete(nameOf(lease))
        look()
      })
    underWay.add(ended)
  }

  function wakeAfter(delayMs: number): void {
    cancelTimer()
    if (!stopped) cancelTimer = clock.after(delayMs, due)
  }

  function wake(org?: Org, isReady = true): void {
    const own = [...busy.values()].filter(({ lease }) => lease.org === org)
    // mutant: tells a lease under way only of what its lane slept before
    for (const each of own) each.wake(false)
    if (own.length > 0) return
    if (org === undefined) for (const each of busy.values()) each.wake(true)
    else cameMeanwhile.add(org)
    // mutant: wakes for no account whose lane slept
    if (isReady) due()
  }

  function due(): void {
    hasNews = true
    look()
  }

  function look(): void {
    woken = true
    if (!started || stopped) return
    claiming ??= claimAll()
      .catch((error: unknown) => {
        log.error('claim_failed', { lane, code: codeOf(error) })
        woken = false
        hasNews = true
        wakeAfter(storeRestMs)
      })
      .finally(() => {
        claiming = undefined
        // Woken after the last claim had looked: look again.
        if (woken && room() > 0) look()
      })
  }

  return {
    start() {
      started = true
      if (woken) look()
    },
    wake,
    due,
    async stop() {
      stopped = true
      stopping.abort()
      cancelTimer()
      await claiming
      await Promise.all(underWay)
    },
  }
}

/** Of a lane, among those of one kind. */
function nameOf({ org, destination }: Lease): string {
  return `${org} ${destination}`
}
