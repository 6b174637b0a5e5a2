/** What a destination gets once for good: natural keys, as digests, and which destinations have had an event with them. */
import type { Destination, Org } from '../ports/entry.ts'
import type { Database } from './database.ts'

/** Those of the destinations that have had none with this key; from now on they have. */
export function claimOnce(
  db: Database,
  { org, once }: { org: Org; once?: Uint8Array | null },
  among: readonly Destination[],
): readonly Destination[] {
  if (!once) return among
  const sql = 'INSERT INTO occurrences (org, key, destination) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
  return among.filter((destination) => db.run(sql, org, once, destination) === 1)
}

/** Whether its person is marked as erased. */
export function isErased(db: Database, { org, person }: { org: Org; person?: Uint8Array | null }): boolean {
  if (!person) return false
  return db.get('SELECT 1 FROM occurrences WHERE org = ? AND key = ? AND destination = 0', org, person) !== undefined
}

export function occurred(db: Database, org: Org, keys: readonly Uint8Array[]): Destination[][] {
  const sql = 'SELECT destination FROM occurrences WHERE org = ? AND key = ? ORDER BY destination'
  return keys.map((key) => db.all(sql, org, key).map(({ destination }) => destination as Destination))
}

export function markErased(db: Database, org: Org, keys: readonly Uint8Array[], undo?: 'undo'): void {
  const sql = undo
    ? 'DELETE FROM occurrences WHERE org = ? AND key = ? AND destination = 0'
    : 'INSERT INTO occurrences (org, key, destination) VALUES (?, ?, 0) ON CONFLICT DO NOTHING'
  for (const key of keys) db.run(sql, org, key)
}
