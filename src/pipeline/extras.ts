/** The second events that go with others, and what is written down where Segment refuses one of them alone. */
import type { Keyring } from '../accounts/keyring.ts'
import type { Entry } from '../storage/ports/entry.ts'
import type { Delivered } from './deliver.ts'
import { type Learnt, sealLearnt } from './resolve.ts'

/** What is known of events that a second one goes with, by entry. */
export type WithExtra = Map<number, { entry: Pick<Entry, 'org' | 'messageId'>; learnt: Learnt }>

/** What is to be kept with those that went without their second event; forgets all that have ended. */
export async function refusalsOf(
  keyring: Pick<Keyring, 'seal'>,
  { delivered, dead, extraRefused = [] }: Delivered,
  withExtra: WithExtra,
): Promise<Map<number, Buffer>> {
  const notes = new Map<number, Buffer>()
  for (const { id, reason } of extraRefused) {
    const known = withExtra.get(id)
    if (known) notes.set(id, await sealLearnt(keyring, known.entry, { ...known.learnt, extraRefused: reason }))
  }
  for (const id of [...delivered, ...dead.map((one) => one.id)]) withExtra.delete(id)
  return notes
}
