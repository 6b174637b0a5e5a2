/** An account's trouble, as people see it: shown when a lane meets it, and ended when something goes through. */
import type { Install } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { AccountReason } from './needs-attention.ts'
import { accepted, troubled } from './state.ts'

/** Shows an account's trouble, unless it is about an install that is not `current` any more: then false. */
export async function markTrouble(
  accounts: Accounts,
  org: Org,
  reason: AccountReason,
  now: number,
  isCurrent: (stored: Install) => boolean = () => true,
): Promise<boolean> {
  let current = true
  await accounts.change(org, now, (stored) => {
    current = isCurrent(stored)
    return current ? troubled(stored, reason) : undefined
  })
  return current
}

/** Something went through: the account's trouble is over if that ends it. */
export async function markWell(
  accounts: Accounts,
  org: Org,
  relief: 'delivered' | 'lookup',
  now: number,
): Promise<void> {
  const known = accounts.get(org)
  if (known && accepted(known, relief)) await accounts.change(org, now, (stored) => accepted(stored, relief))
}
