/** The smaller ports in PostgreSQL: ledger, installs, vault, conversations, audit. */
import { skewMsMax } from '../../lib/clock.ts'
import type { AuditEntry, AuditFilter, Install, Reservation } from '../ports/accounts.ts'
import type { Lease } from '../ports/inbox.ts'
import type { BacklogRow, Period, Snapshot, TimeBucket, Total } from '../ports/lookup.ts'
import { auditEntryOf, countedOf, installOf } from '../rows.ts'
import { wholeBacklog } from './backlog.ts'
import { columns } from './counts.ts'
import type { Database, Session } from './database.ts'
import { heldBy, heldLease } from './lanes.ts'
import { snapshot } from './snapshot.ts'

export const consistentRead = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'

const totalsIn = async (session: Session) =>
  (
    await session.all(
      `SELECT org, destination, type, outcome, reason, count FROM counts WHERE count <> 0
       ORDER BY org, destination, type, outcome, reason`,
    )
  ).map(countedOf<Total>)

export const ledger = {
  totals: (db: Database): Promise<Total[]> => totalsIn(db),
  /** All of it as of one moment: an entry is in one state at a time. */
  backlog: (db: Database): Promise<BacklogRow[]> =>
    db.transaction(async (session) => {
      await session.script(consistentRead)
      return wholeBacklog(session)
    }),
  snapshotOfAll: (db: Database): Promise<{ totals: Total[]; backlog: BacklogRow[] }> =>
    db.transaction(async (session) => {
      await session.script(consistentRead)
      return { totals: await totalsIn(session), backlog: await wholeBacklog(session) }
    }),
  timeBuckets: async (db: Database, org: string, from: number, to: number): Promise<TimeBucket[]> =>
    (
      await db.all(
        `SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = $1 AND at >= $2 AND at < $3
         ORDER BY at`,
        org,
        from,
        to,
      )
    ).map(countedOf<TimeBucket>),
  snapshot: (db: Database, org: string, period: Period): Promise<Snapshot> =>
    db.transaction(async (session) => {
      await session.script(consistentRead)
      return snapshot(session, org, period)
    }),
}

/** By itself, or within a transaction with what it is about. */
export async function keepEntry(
  session: Pick<Session, 'run'>,
  { at, org, who, what, about }: AuditEntry,
): Promise<void> {
  const sql = 'INSERT INTO audit (at, org, who, what, about) VALUES ($1, $2, $3, $4, $5)'
  await session.run(sql, at, org, who, what, about ?? null)
}

export const audit = {
  add: (db: Database, entry: AuditEntry): Promise<void> => keepEntry(db, entry),
  async list(db: Database, org: string, limit: number, { what, from, to }: AuditFilter = {}): Promise<AuditEntry[]> {
    const newest = (which: string) =>
      `SELECT * FROM audit a WHERE org = $1 ${which} AND at >= $3 AND at < $4 ORDER BY id DESC LIMIT $2`
    // Each by the index of its own: what is seldom done lies far back.
    const some = what
      ? `unnest($5::text[]) w (what) CROSS JOIN LATERAL (${newest('AND a.what = w.what')}) d`
      : `(${newest('')}) d`
    const sql = `SELECT d.at, d.org, d.who, d.what, d.about FROM ${some} ORDER BY d.id DESC LIMIT $2`
    const times = [from ?? 0, to ?? Number.MAX_SAFE_INTEGER]
    const rows = await db.all(sql, org, limit, ...times, ...(what ? [what] : []))
    return rows.map(auditEntryOf)
  },
}

export const installs = {
  async get(db: Database, org: string): Promise<Install | undefined> {
    const row = await db.get('SELECT * FROM installs WHERE org = $1', org)
    return row && installOf(row)
  },
  list: async (db: Database): Promise<Install[]> =>
    (await db.all('SELECT * FROM installs ORDER BY org')).map(installOf),
  /** One statement, so all of it or nothing. `told` is sent with the commit, to every process that listens. */
  async save(
    db: Database,
    {
      install,
      entry,
      forgets = [],
    }: { install: Install; entry?: AuditEntry | undefined; forgets?: readonly string[] | undefined },
    channel: string,
    told: string,
  ): Promise<boolean> {
    const { org, generation } = install
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
      org,
      install.state,
      install.reason ?? null,
      install.settings,
      install.grant ?? null,
      install.refreshAt ?? null,
      install.createdAt,
      install.updatedAt,
      generation,
      channel,
      told,
      ...[entry?.at, entry?.org, entry?.who, entry?.what, entry?.about].map((value) => value ?? null),
      forgets,
    )
    return saved === 1
  },
  reserve: async (db: Database, { org, holder, until }: Reservation, now: number): Promise<boolean> =>
    (await db.run(
      `INSERT INTO reservations VALUES ($1, $2, $3)
       ON CONFLICT (org) DO UPDATE SET holder = excluded.holder, until = excluded.until
       WHERE reservations.until <= $4 OR reservations.until > excluded.until + ${skewMsMax}`,
      org,
      holder,
      until,
      now,
    )) === 1,
  async release(db: Database, { org, holder }: Reservation): Promise<void> {
    await db.run('DELETE FROM reservations WHERE org = $1 AND holder = $2', org, holder)
  },
}

/** Names that begin with `$1`, whatever is in it. */
const begins = 'left(name, length($1)) = $1'

export const vault = {
  read: async (db: Database, name: string) =>
    (await db.get('SELECT value FROM vault WHERE name = $1', name))?.value as Uint8Array | undefined,
  async create(db: Database, name: string, value: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      await db.run('INSERT INTO vault VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', name, value)
      const kept = await vault.read(db, name)
      // Another process has removed it in between: then the name is free again.
      if (kept) return kept
    }
  },
  replace: async (db: Database, name: string, value: Uint8Array): Promise<boolean> =>
    (await db.run('UPDATE vault SET value = $1 WHERE name = $2', value, name)) === 1,
  async list(db: Database, prefix: string) {
    const rows = await db.all(`SELECT name, value FROM vault WHERE ${begins} ORDER BY name COLLATE "C"`, prefix)
    return rows.map((row) => ({ name: row.name as string, value: row.value as Uint8Array }))
  },
  remove: async (db: Database, prefix: string): Promise<void> => {
    await db.run(`DELETE FROM vault WHERE ${begins}`, prefix)
  },
}

export const conversations = {
  async recall(db: Database, org: string, ids: readonly string[]): Promise<Map<string, string>> {
    const sql = 'SELECT conversation, contact FROM conversations WHERE org = $1 AND conversation = ANY ($2)'
    const rows = await db.all(sql, org, ids)
    return new Map(rows.map((row) => [row.conversation as string, row.contact as string]))
  },
  async of(db: Database, org: string, contact: string): Promise<string[]> {
    const rows = await db.all('SELECT conversation FROM conversations WHERE org = $1 AND contact = $2', org, contact)
    return rows.map((row) => row.conversation as string)
  },
  async forget(db: Database, org: string, contact: string): Promise<void> {
    await db.run('DELETE FROM conversations WHERE org = $1 AND contact = $2', org, contact)
  },
  async remember(db: Database, org: string, contactOf: ReadonlyMap<string, string>, lease?: Lease): Promise<void> {
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
  },
}
