/** What blocks an account or destination, as people see it: shown when a lane is refused, and ended when something is accepted. */
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination, Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { AccountReason } from './needs-attention.ts'
import { accepted, blocked } from './state.ts'

interface Refused {
  reason: AccountReason
  /** The destination that refuses; without one, Drift refuses the account. */
  destination?: Destination
}

/** Shows what blocks an account, unless it is about an install that is not `current` any more: then false. */
export async function markBlocked(
  accounts: Accounts,
  org: Org,
  { reason, destination }: Refused,
  now: number,
  isCurrent: (stored: Install) => boolean = () => true,
): Promise<boolean> {
  let current = true
  await accounts.change(org, now, (stored) => {
    current = isCurrent(stored)
    return current ? blocked(stored, reason, destination) : undefined
  })
  return current
}

/** A destination accepted something or, where none is named, Drift answered: it is not blocked any more, if that ends the reason. */
export async function markWell(accounts: Accounts, org: Org, now: number, destination?: Destination): Promise<void> {
  const known = accounts.get(org)
  if (known && accepted(known, destination)) await accounts.change(org, now, (stored) => accepted(stored, destination))
}
