/** What became of the events of one request, as the store is to have it. */
import type { Id } from '../events/define.ts'
import type { Ending, Inbox, Lease, Settlement } from '../storage/ports/inbox.ts'
import type { Attempts } from './attempt.ts'
import type { Delivered } from './deliver.ts'

/** `learnt`: whose they are, where that was found out; `notes`: what is kept with them from now on. */
export function settlementsOf(
  { delivered, dead }: Delivered,
  learnt: Map<number, Id>,
  requestsOf: Attempts['requestsOf'],
  at: number,
  notes: ReadonlyMap<number, Buffer> = new Map(),
): Settlement[] {
  const by = (id: number) => {
    const contact = learnt.get(id)
    learnt.delete(id)
    const known = notes.get(id)
    return { ...requestsOf(id), ...(contact === undefined ? {} : { contact }), ...(known && { known }) }
  }
  return [
    ...delivered.map((id): Settlement => ({ id, to: 'delivered', at, ...by(id) })),
    ...dead.map(({ id, reason }): Settlement => ({ id, to: 'dead', at, reason, ...by(id) })),
  ]
}

const settledMax = 1_000

/** For the end of a lease, in transactions of a bounded size: requests that failed had thousands of entries. */
export async function settleAll(inbox: Inbox, lease: Lease, all: Settlement[], ending: Ending): Promise<boolean> {
  let isOurs = true
  while (isOurs && all.length > settledMax) isOurs = await inbox.settle(lease, all.splice(0, settledMax))
  return isOurs && inbox.settle(lease, all, ending)
}
