/** A dry run: counts what a page of Drift's list would bring, and sends nothing. */
import type { Judged } from './judge.ts'
import type { Tally } from './tally.ts'
import type { WhyMissing } from './why-missing.ts'

/** What a dry run remembers while it goes on: a process that takes the job over starts again without it. */
export interface Seen {
  /** Contacts of what is missing, and of whose attributes nothing was sent: Segment's monthly tracked users. */
  people: Set<string>
  /** Those of them whose attributes are to be read. */
  contacts: Set<string>
}

export function newSeen(): Seen {
  return { people: new Set(), contacts: new Set() }
}

/** `why`: of each that is missing, in order, where a comparison asks for it. */
export function countLook(
  { counts, add }: Tally,
  seen: Seen,
  some: readonly Judged[],
  { type, withContacts, why = [] }: { type: string; withContacts: boolean; why?: readonly WhyMissing[] },
): void {
  const missing = some.filter(({ is }) => is === 'missing').length
  add('missing', missing)
  add(`missing_${type}`, missing)
  for (const one of why) add(`why_${one}`)
  for (const { contactId, contactKnown } of some) {
    if (contactId === undefined) add('unnamed')
    else seen.people.add(contactId)
    if (contactId !== undefined && withContacts && !contactKnown) seen.contacts.add(contactId)
  }
  counts.people = seen.people.size
  counts.contacts = seen.contacts.size
}
