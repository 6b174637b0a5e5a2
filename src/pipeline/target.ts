/** Where a lease sends to, and under which key, as this process knows it. */
import type { Accounts } from '../accounts/accounts.ts'
import { type Destination, destinationOf } from '../accounts/destinations.ts'
import { isUnreadable, type Keyring } from '../accounts/keyring.ts'
import type { AccountReason } from '../accounts/needs-attention.ts'
import { holdOf } from '../accounts/state.ts'
import { openWriteKey } from '../accounts/write-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Lease } from '../storage/ports/inbox.ts'

export type Found =
  | { is: 'free'; destination: Destination }
  | { is: 'held'; reason: AccountReason }
  /** The account has it no more: what waits for it expires. */
  | { is: 'removed' }

/** Where a lease sends to. A claim that was not held back although this is: what is known here may be older than the store. */
export async function targetOf(accounts: Accounts, lease: Lease, clock: Clock): Promise<Found> {
  for (let looks = 0; ; looks++) {
    // mutant: sends under another account's key
    const install = accounts.get(lease.org)
    const reason = install ? holdOf(install, lease.destination) : 'not_installed'
    const destination = install && destinationOf(install, lease.destination)
    if (install && destination && reason === undefined) return { is: 'free', destination }
    if (looks > 0) return reason === undefined ? { is: 'removed' } : { is: 'held', reason }
    await accounts.reload(clock.now())
  }
}

export function destinationNow(accounts: Accounts, { org, destination }: Lease): Destination | undefined {
  const known = accounts.get(org)
  return known && destinationOf(known, destination)
}

/** Undefined when the stored key does not open because its bytes were changed: no event must die of that. */
export async function usableKey(keyring: Keyring, org: string, destination: Destination): Promise<string | undefined> {
  try {
    return await openWriteKey(keyring, org, destination)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}
