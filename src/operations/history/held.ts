/** What history brings in is sent like every other event: where a destination sends nothing at this time, it waits there. */
import { destinationsOf } from '../../accounts/destinations.ts'
import { holdOf } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'

/** A destination where it waits, and why; `name` is absent where the account has only one. */
export interface HeldAt {
  name?: string
  /** What stands in Segment's place there. */
  endpoint?: string
  reason: string
}

export function heldAt(install: Install | undefined): HeldAt[] {
  if (!install || install.state === 'disconnected') return []
  const all = destinationsOf(install)
  return all.flatMap((destination) => {
    const reason = holdOf(install, destination.number) ?? destination.reason
    if (reason === undefined) return []
    const { name, endpoint } = destination
    return [{ reason, ...(all.length > 1 ? { name } : {}), ...(endpoint === undefined ? {} : { endpoint }) }]
  })
}
