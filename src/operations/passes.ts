/** Looking at events as they stand at each destination: one after the other, since a query tells their states at one. */
import type { Accounts } from '../accounts/accounts.ts'
import { destinationOf, destinationsOf } from '../accounts/destinations.ts'
import { type Destination, firstDestination } from '../storage/ports/entry.ts'
import type { Query, Shown } from '../storage/ports/lookup.ts'

export interface Pass {
  destination: Destination
  /** Whether what is found is of this pass: an event that was given over to no destination is of the first one alone. */
  isMeant(shown: Shown): boolean
}

/** The destination that the query names; else every number that one of its account, or of any account, has. */
export function passesOf(accounts: Accounts, { org, destination: named }: Query): Pass[] {
  const installs = accounts.all().filter((install) => org === undefined || install.org === org)
  const known = installs.flatMap((install) => destinationsOf(install).map(({ number }) => number))
  const numbers = named === undefined ? [...new Set(known)].sort((one, other) => one - other) : [named]
  if (numbers.length === 0) numbers.push(firstDestination)
  return numbers.map((destination) => ({
    destination,
    isMeant: (shown) => (shown.destination === 0 ? destination === numbers[0] : isThere(accounts, shown)),
  }))
}

/** Whether its account has the destination that it is shown for. */
function isThere(accounts: Accounts, { org, destination }: Shown): boolean {
  const install = accounts.get(org)
  return install !== undefined && destinationOf(install, destination) !== undefined
}
