/**
 * What a destination gets once for good: natural keys, as digests, and which destinations have had an event with them. For both
 * engines.
 */
import type { Destination, Org } from './ports/entry.ts'
import { all, get, own, run, type Statements, together } from './statements.ts'

/** Those of the destinations that have had none with this key; from now on they have. */
export function* claimOnce(
  { org, once }: { org: Org; once?: Uint8Array | null },
  among: readonly Destination[],
): Statements<readonly Destination[]> {
  if (!once) return among
  const free: Destination[] = []
  const sql = 'INSERT INTO occurrences (org, key, destination) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING'
  for (const destination of among) if ((yield* run(sql, org, once, destination)) === 1) free.push(destination)
  return free
}

/** Whether its person is marked as erased. */
export function* isErased({ org, person }: { org: Org; person?: Uint8Array | null }): Statements<boolean> {
  if (!person) return false
  const sql = 'SELECT 1 FROM occurrences WHERE org = $1 AND key = $2 AND destination = 0'
  return (yield* get(sql, org, person)) !== undefined
}

export const occurrences = {
  *occurred(org: Org, keys: readonly Uint8Array[]): Statements<Destination[][]> {
    const found: Destination[][] = []
    const sql = 'SELECT destination FROM occurrences WHERE org = $1 AND key = $2 ORDER BY destination'
    for (const key of keys) found.push((yield* all(sql, org, key)).map(({ destination }) => destination as Destination))
    return found
  },
  /** With the account's lock alone: what was being kept meanwhile has committed, and what is kept next sees the mark. */
  markErased: together(function* (org: Org, keys: readonly Uint8Array[], undo?: 'undo'): Statements<void> {
    yield* own('lock', [org])
    const sql = undo
      ? 'DELETE FROM occurrences WHERE org = $1 AND key = $2 AND destination = 0'
      : 'INSERT INTO occurrences (org, key, destination) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING'
    for (const key of keys) yield* run(sql, org, key)
  }),
}
