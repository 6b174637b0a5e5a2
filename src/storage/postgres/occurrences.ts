/** What a destination gets once for good: natural keys, as digests, and which destinations have had an event with them. */
import type { Destination, Org } from '../ports/entry.ts'
import type { Database } from './database.ts'
import { lock } from './locks.ts'

export async function occurred(db: Database, org: Org, keys: readonly Uint8Array[]): Promise<Destination[][]> {
  const rows = await db.all(
    `SELECT ARRAY(SELECT destination FROM occurrences o WHERE o.org = $1 AND o.key = k.key ORDER BY 1) AS destinations
     FROM unnest($2::bytea[]) WITH ORDINALITY AS k (key, nth) ORDER BY k.nth`,
    org,
    keys,
  )
  return rows.map(({ destinations }) => destinations as Destination[])
}

/** With the account's lock alone: what was being kept meanwhile has committed, and what is kept next sees the mark. */
export async function markErased(db: Database, org: Org, keys: readonly Uint8Array[], undo?: 'undo'): Promise<void> {
  const sql = undo
    ? 'DELETE FROM occurrences WHERE org = $1 AND key = ANY ($2::bytea[]) AND destination = 0'
    : `INSERT INTO occurrences (org, key, destination) SELECT $1, key, 0 FROM unnest($2::bytea[]) AS k (key) ORDER BY key
       ON CONFLICT DO NOTHING`
  await db.transaction(async (session) => {
    await lock(session, [org])
    await session.run(sql, org, keys)
  })
}
