/**
 * What each lease of this process was given and has not settled. Two replicas that add to one account at once may commit
 * in another order than that of their places: what has come late stands before what was given last, and only a
 * process that knows all that was given finds it.
 */
import type { Placed } from '../ports/entry.ts'
import type { Lease } from '../ports/inbox.ts'

const given = new WeakMap<Lease, Set<number>>()

export function give<Entries extends readonly Placed[]>(lease: Lease, entries: Entries): Entries {
  const ids = given.get(lease) ?? new Set(lease.entries.map(({ id }) => id))
  for (const { id } of entries) ids.add(id)
  given.set(lease, ids)
  return entries
}

export function givenOf(lease: Lease): number[] {
  return [...(given.get(lease) ?? lease.entries.map(({ id }) => id))]
}

export function takeBack(lease: Lease, ids: readonly number[]): void {
  for (const id of ids) given.get(lease)?.delete(id)
}
