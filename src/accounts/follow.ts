/** Keeping up with what other processes do to accounts: what is known here of them is looked at again. */
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Org } from '../storage/ports.ts'
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

/** For `storage.onChange`: one look at a time, and what is told meanwhile is the next. */
export function follower({ accounts, keyring, clock, log, wake }: Needs): (org: Org | undefined) => void {
  const told = new Set<Org | undefined>()
  let looking = false

  async function look(): Promise<void> {
    looking = true
    while (told.size > 0) {
      const orgs = told.has(undefined) ? [undefined] : [...told]
      told.clear()
      if (orgs[0] === undefined) await keyring.reload()
      for (const org of orgs) await accounts.reload(clock.now(), org)
      wake()
    }
  }

  return (org) => {
    told.add(org)
    if (looking) return
    void look()
      .catch(() => log.error('reload_failed'))
      .finally(() => (looking = false))
  }
}
