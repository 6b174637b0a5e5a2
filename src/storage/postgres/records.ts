/** What of the smaller ports is PostgreSQL's own: saving an install, and remembering conversations. */
import type { AuditEntry, Install } from '../ports/accounts.ts'
import type { Lease } from '../ports/inbox.ts'
import { valuesOf } from '../records.ts'
import { columns } from './counts.ts'
import type { Database } from './database.ts'
import { heldBy, heldLease } from './lanes.ts'

/** One statement, so all of it or nothing. `told` is sent with the commit, to every process that listens. */
export async function saveInstall(
  db: Database,
  {
    install,
    entry,
    forgets = [],
  }: { install: Install; entry?: AuditEntry | undefined; forgets?: readonly string[] | undefined },
  channel: string,
  told: string,
): Promise<boolean> {
  const saved = await db.run(
    `WITH saved AS (
       INSERT INTO installs
         (org, state, reason, settings, grant_sealed, refresh_at, created_at, updated_at, generation)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::bigint + 1 WHERE $9 = 0
         OR EXISTS (SELECT 1 FROM installs WHERE org = $1)
       ON CONFLICT (org) DO UPDATE SET state = excluded.state, reason = excluded.reason, settings = excluded.settings,
         grant_sealed = excluded.grant_sealed, refresh_at = excluded.refresh_at, created_at = excluded.created_at,
         updated_at = excluded.updated_at, generation = excluded.generation
       WHERE installs.generation = $9
       RETURNING org
     ), noted AS (
       INSERT INTO audit (at, org, who, what, about)
       SELECT $12::bigint, $13, $14, $15, $16 FROM saved WHERE $12::bigint IS NOT NULL
     ), given AS (
       INSERT INTO destinations (org, number, since)
       SELECT org, coalesce((SELECT max(number) FROM destinations d WHERE d.org = saved.org), 0) + 1, nextval('places') * 128
       FROM saved WHERE NOT EXISTS (SELECT 1 FROM destinations d WHERE d.org = saved.org AND d.removed_at IS NULL)
       ON CONFLICT DO NOTHING
     ), forgotten AS (
       DELETE FROM vault WHERE name = ANY ($17) AND EXISTS (SELECT 1 FROM saved)
     ) SELECT pg_notify($10, $11) FROM saved`,
    ...valuesOf(install),
    install.generation,
    channel,
    told,
    ...[entry?.at, entry?.org, entry?.who, entry?.what, entry?.about].map((value) => value ?? null),
    forgets,
  )
  return saved === 1
}

export async function remember(
  db: Database,
  org: string,
  contactOf: ReadonlyMap<string, string>,
  lease?: Lease,
): Promise<void> {
  const rows = [...contactOf].sort().map(([conversation, contact]) => ({ org, conversation, contact }))
  const values = columns(rows, ['org', 'conversation', 'contact'])
  const insert = (offset: number) =>
    `INSERT INTO conversations
     SELECT c.* FROM unnest($${offset + 1}::text[], $${offset + 2}::text[], $${offset + 3}::text[]) c`
  if (!lease) return void (await db.run(`${insert(0)} ON CONFLICT DO NOTHING`, ...values))
  // What ends the lease waits until this is committed, and then takes it away with the rest.
  const held = `WITH held AS MATERIALIZED (SELECT 1 FROM lanes WHERE ${heldLease} FOR SHARE)`
  const sql = `${held} ${insert(5)}, held ON CONFLICT DO NOTHING`
  await db.run(sql, ...heldBy(lease), ...values)
}
