/** What history brings in is sent like every other event: where a destination sends nothing at this time, it waits there. */
import { destinationsOf } from '../../accounts/destinations.ts'
import { holdOf } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'

/** The destinations where it waits, and the reason of each; `name` is absent where there is only one. */
export function heldAt(install: Install | undefined): { name?: string; reason: string }[] {
  if (!install || install.state === 'disconnected') return []
  const all = destinationsOf(install)
  return all.flatMap((destination) => {
    const reason = holdOf(install, destination.number) ?? destination.reason
    return reason === undefined ? [] : [{ reason, ...(all.length > 1 ? { name: destination.name } : {}) }]
  })
}
