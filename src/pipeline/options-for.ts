/** The options that events of a lease are sent with: those of the version that each has. */
import type { Accounts } from '../accounts/accounts.ts'
import { optionsOf } from '../accounts/options.ts'
import type { Clock } from '../lib/clock.ts'
import type { Options } from '../mapping/options.ts'
import { noOptions } from '../mapping/versions.ts'
import type { LaneKey } from '../storage/ports/entry.ts'

/** Looks at the store where the version is not known here: another process has saved it. */
export async function optionsFor(
  { accounts, clock }: { accounts: Accounts; clock: Clock },
  { org, destination }: Pick<LaneKey, 'org' | 'destination'>,
  version: number,
): Promise<Options> {
  if (version === 0) return noOptions
  const known = () => {
    const install = accounts.get(org)
    return install && optionsOf(install, destination, version)
  }
  const found = known()
  if (found) return found
  await accounts.reload(clock.now(), org)
  const install = accounts.get(org)
  return known() ?? (install ? optionsOf(install, destination) : noOptions)
}
