/**
 * Right after an account's state is saved its lanes follow it, and a new account claims the events that came in before it
 * was installed. Where that was not possible, because the store was away or a replica has other settings, it is done here,
 * once a minute: otherwise the events would wait until the next start, and those of a new account could expire before it.
 * The same is done for a destination that was added or removed while the process ended.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { destinationsOf } from '../accounts/destinations.ts'
import { holdOf, isThere } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination, Lane, Org } from '../storage/ports/entry.ts'
import type { BacklogRow } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'

const everyMs = 60_000

interface Needs {
  accounts: Pick<Accounts, 'get' | 'all' | 'reload'>
  storage: Pick<Storage, 'inbox' | 'ledger' | 'lookup'>
  clock: Clock
  log: Log
  /** Called when something is due that was not before. */
  wake(): void
}

/** Looks once a minute, however often it is called. It lets events go that nothing holds, and never holds any. */
export function catchingUp({ accounts, storage, clock, log, wake }: Needs): () => Promise<void> {
  const { inbox, ledger, lookup } = storage
  let nextAt = Number.NEGATIVE_INFINITY

  function isHere(org: Org): boolean {
    const install = accounts.get(org)
    return install !== undefined && isThere(install)
  }

  function isHeld(org: Org, lane: Lane, destination: Destination): boolean {
    return !isHere(org) || (lane === 'send' && holdOf(accounts.get(org)!, destination) !== undefined)
  }

  async function claimOnInstall(org: Org): Promise<void> {
    const claimed = await inbox.claimOnInstall(org, clock.now())
    if (claimed > 0) done({ org, claimed })
  }

  async function letGo(org: Org): Promise<void> {
    for (const { lane, destination, hold } of await lookup.lanes(org)) {
      if (hold === undefined || isHeld(org, lane, destination)) continue
      // What holds it was saved before the lane was held: another process may have just done so.
      await accounts.reload(clock.now(), org)
      if (isHeld(org, lane, destination)) continue
      await inbox.resume({ org, lane, destination }, clock.now())
      done({ org, lane, destination, reason: hold })
    }
  }

  async function followDestinations(): Promise<void> {
    const stored = Map.groupBy(await inbox.allDestinations(), ({ org }) => org)
    const missing = (install: Install) => differing(install, stored.get(install.org) ?? [])
    for (const { org } of accounts.all().filter((install) => missing(install).length > 0)) {
      // The account is saved first, so what it says now is what is to be.
      await accounts.reload(clock.now(), org)
      for (const { number, isWanted } of missing(accounts.get(org)!)) {
        if (isWanted) await inbox.addDestination(org, number)
        else await inbox.removeDestination(org, number, clock.now())
        done({ org, destination: number, to: isWanted ? 'added' : 'removed' })
      }
    }
  }

  function done(
    fields:
      | { org: Org; claimed: number }
      | { org: Org; lane: Lane; destination: Destination; reason: string }
      | { org: Org; destination: number; to: 'added' | 'removed' },
  ): void {
    log.warn('caught_up', fields)
    wake()
  }

  return async () => {
    if (clock.monotonic() < nextAt) return
    await followDestinations()
    const backlog = await ledger.backlog()
    const orgsWith = (isMeant: (backlogRow: BacklogRow) => boolean) =>
      new Set(backlog.flatMap((backlogRow) => (isMeant(backlogRow) && isHere(backlogRow.org) ? [backlogRow.org] : [])))
    for (const org of orgsWith(({ state }) => state === 'unclaimed')) await claimOnInstall(org)
    const isKept = ({ state, reason }: BacklogRow) =>
      (state === 'waiting' || state === 'asking') && reason !== undefined
    for (const org of orgsWith(isKept)) await letGo(org)
    nextAt = clock.monotonic() + everyMs
  }
}

/** Destinations that the account has and the store does not, and the other way round. */
function differing(
  install: Install,
  stored: readonly { destination: Destination }[],
): { number: Destination; isWanted: boolean }[] {
  if (!isThere(install) || install.unreadable) return []
  const wanted = destinationsOf(install).map(({ number }) => number)
  const there = stored.map(({ destination }) => destination)
  return [
    ...wanted.filter((number) => !there.includes(number)).map((number) => ({ number, isWanted: true })),
    ...there.filter((number) => !wanted.includes(number)).map((number) => ({ number, isWanted: false })),
  ]
}
