/** Keeping up with what other processes do to accounts: what is known here of them is looked at again. */
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { Keyring } from './keyring.ts'

interface Needs {
  accounts: Accounts
  keyring: Keyring
  clock: Clock
  log: Log
  /** Called when it has been looked at: something may be due. */
  wake(): void
}

export interface Follower {
  /** For `storage.onChange`: undefined when it may be any account. */
  changed(org: Org | undefined): void
  stop(): void
}

/** How long a store is left alone that has just failed. */
const storeRestMs = 1_000

/** One look at a time; what changes meanwhile, and what could not be read, is the next. */
export function follower({ accounts, keyring, clock, log, wake }: Needs): Follower {
  const unread = new Set<Org | undefined>()
  let looking = false
  let stopped = false
  let cancel = () => {}

  async function look(): Promise<void> {
    while (unread.size > 0) {
      const orgs = unread.has(undefined) ? [undefined] : [...unread]
      unread.clear()
      try {
        if (orgs[0] === undefined) await keyring.reload()
        for (const org of orgs) await accounts.reload(clock.now(), org)
      } catch (error) {
        log.error('reload_failed', { code: codeOf(error) })
        for (const org of orgs) unread.add(org)
        if (!stopped) cancel = clock.after(storeRestMs, () => void look())
        return
      }
      wake()
    }
    looking = false
  }

  return {
    changed(org) {
      unread.add(org)
      if (looking) return
      looking = true
      void look()
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
