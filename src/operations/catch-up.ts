/**
 * An account's lanes follow its state, and its unclaimed events are adopted, right after that state is saved. Where that
 * could not be done, because the store was away at that moment or a replica goes by other settings, it is done here:
 * otherwise the events wait until the next start, and unclaimed ones expire before it.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { holdOf, isThere } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Lane, Org } from '../storage/ports/entry.ts'
import type { Standing } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'

const everyMs = 60_000

interface Needs {
  accounts: Pick<Accounts, 'get' | 'reload'>
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

  function isHeld(org: Org, lane: Lane): boolean {
    return !isHere(org) || (lane === 'send' && holdOf(accounts.get(org)!) !== undefined)
  }

  async function adopt(org: Org): Promise<void> {
    const adopted = await inbox.adopt(org, clock.now())
    if (adopted > 0) done({ org, adopted })
  }

  async function letGo(org: Org): Promise<void> {
    for (const { lane, destination, hold } of await lookup.lanes(org)) {
      if (hold === undefined || isHeld(org, lane)) continue
      // What holds it was saved before the lane was held: another process may have just done so.
      await accounts.reload(clock.now(), org)
      if (isHeld(org, lane)) continue
      await inbox.resume({ org, lane, destination }, clock.now())
      done({ org, lane, reason: hold })
    }
  }

  function done(fields: { org: Org; adopted: number } | { org: Org; lane: Lane; reason: string }): void {
    log.warn('caught_up', fields)
    wake()
  }

  return async () => {
    if (clock.monotonic() < nextAt) return
    const standings = await ledger.standings()
    const orgsWith = (isMeant: (standing: Standing) => boolean) =>
      new Set(standings.flatMap((standing) => (isMeant(standing) && isHere(standing.org) ? [standing.org] : [])))
    for (const org of orgsWith(({ state }) => state === 'unclaimed')) await adopt(org)
    const isKept = ({ state, reason }: Standing) => (state === 'waiting' || state === 'asking') && reason !== undefined
    for (const org of orgsWith(isKept)) await letGo(org)
    nextAt = clock.monotonic() + everyMs
  }
}
