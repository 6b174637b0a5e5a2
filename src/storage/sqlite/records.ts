/** The smaller ports in SQLite: ledger, installs, vault, conversations, audit. */
import { skewMsMax } from '../../lib/clock.ts'
import type { AuditEntry, AuditFilter, Install, Reservation } from '../ports/accounts.ts'
import type { Lease } from '../ports/inbox.ts'
import type { BacklogRow, TimeBucket, Total } from '../ports/lookup.ts'
import { auditEntryOf, countedOf, installOf } from '../rows.ts'
import { wholeBacklog } from './backlog.ts'
import type { Database } from './database.ts'
import { ensureDestination } from './destinations.ts'
import { heldLane } from './lanes.ts'
import { noteErasure } from './purge.ts'
import { snapshot } from './snapshot.ts'

export const ledger = {
  totals: (db: Database): Total[] =>
    db
      .all(
        `SELECT org, destination, type, outcome, reason, count FROM counts WHERE count <> 0
         ORDER BY org, destination, type, outcome, reason`,
      )
      .map(countedOf<Total>),
  backlog: (db: Database): BacklogRow[] => wholeBacklog(db),
  snapshotOfAll: (db: Database) => ({ totals: ledger.totals(db), backlog: ledger.backlog(db) }),
  timeBuckets: (db: Database, org: string, from: number, to: number): TimeBucket[] =>
    db
      .all(
        `SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = ? AND at >= ? AND at < ?
         ORDER BY at`,
        org,
        from,
        to,
      )
      .map(countedOf<TimeBucket>),
  snapshot,
}

export const audit = {
  add(db: Database, { at, org, who, what, about }: AuditEntry): void {
    db.run('INSERT INTO audit (at, org, who, what, about) VALUES (?, ?, ?, ?, ?)', at, org, who, what, about ?? null)
  },
  list(db: Database, org: string, limit: number, { what, from, to }: AuditFilter = {}): AuditEntry[] {
    if (what?.length === 0) return []
    const newest = (which: string) =>
      `SELECT * FROM audit WHERE org = ?1 ${which} AND at >= ?3 AND at < ?4 ORDER BY id DESC LIMIT ?2`
    // Each by the index of its own: what is seldom done lies far back.
    const each = what?.map((_, at) => `SELECT * FROM (${newest(`AND what = ?${at + 5}`)})`) ?? [newest('')]
    return db
      .all(
        `SELECT at, org, who, what, about FROM (${each.join(' UNION ALL ')}) ORDER BY id DESC LIMIT ?2`,
        org,
        limit,
        from ?? 0,
        to ?? Number.MAX_SAFE_INTEGER,
        ...(what ?? []),
      )
      .map(auditEntryOf)
  },
}

/** What comes with a change, in its transaction. */
export const keepEntry = audit.add

export const installs = {
  get(db: Database, org: string): Install | undefined {
    const row = db.get('SELECT * FROM installs WHERE org = ?', org)
    return row && installOf(row)
  },
  list: (db: Database): Install[] => db.all('SELECT * FROM installs ORDER BY org').map(installOf),
  save(db: Database, install: Install, entry?: AuditEntry, forgets: readonly string[] = []): boolean {
    const { org, generation } = install
    const stored = db.get('SELECT generation FROM installs WHERE org = ?', org)?.generation ?? 0
    if (stored !== generation) return false
    db.run(
      `INSERT OR REPLACE INTO installs
         (org, state, reason, settings, grant_sealed, refresh_at, created_at, updated_at, generation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      org,
      install.state,
      install.reason ?? null,
      install.settings,
      install.grant ?? null,
      install.refreshAt ?? null,
      install.createdAt,
      install.updatedAt,
      generation + 1,
    )
    ensureDestination(db, org)
    for (const name of forgets) db.run('DELETE FROM vault WHERE name = ?', name)
    if (entry) audit.add(db, entry)
    return true
  },
  reserve: (db: Database, { org, holder, until }: Reservation, now: number): boolean =>
    db.run(
      `INSERT INTO reservations VALUES (?, ?, ?)
       ON CONFLICT (org) DO UPDATE SET holder = excluded.holder, until = excluded.until
       WHERE until <= ? OR until > excluded.until + ${skewMsMax}`,
      org,
      holder,
      until,
      now,
    ) === 1,
  release(db: Database, { org, holder }: Reservation): void {
    db.run('DELETE FROM reservations WHERE org = ? AND holder = ?', org, holder)
  },
}

export const vault = {
  read: (db: Database, name: string) =>
    db.get('SELECT value FROM vault WHERE name = ?', name)?.value as Uint8Array | undefined,
  create(db: Database, name: string, value: Uint8Array): Uint8Array {
    db.run('INSERT INTO vault VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value)
    return vault.read(db, name)!
  },
  replace: (db: Database, name: string, value: Uint8Array): boolean =>
    db.run('UPDATE vault SET value = ? WHERE name = ?', value, name) === 1,
  list: (db: Database, prefix: string) =>
    db
      .all('SELECT name, value FROM vault WHERE substr(name, 1, length(?)) = ? ORDER BY name', prefix, prefix)
      .map((row) => ({ name: row.name as string, value: row.value as Uint8Array })),
  remove(db: Database, prefix: string): void {
    if (db.run('DELETE FROM vault WHERE substr(name, 1, length(?)) = ?', prefix, prefix) > 0) noteErasure(db)
  },
}

export const conversations = {
  recall(db: Database, org: string, ids: readonly string[]): Map<string, string> {
    const rows = db.all(
      `SELECT conversation, contact FROM conversations
       WHERE org = ? AND conversation IN (SELECT value FROM json_each(?))`,
      org,
      JSON.stringify(ids),
    )
    return new Map(rows.map((row) => [row.conversation as string, row.contact as string]))
  },
  of: (db: Database, org: string, contact: string): string[] =>
    db
      .all('SELECT conversation FROM conversations WHERE org = ? AND contact = ?', org, contact)
      .map((row) => row.conversation as string),
  forget(db: Database, org: string, contact: string): void {
    if (db.run('DELETE FROM conversations WHERE org = ? AND contact = ?', org, contact) > 0) noteErasure(db)
  },
  remember(db: Database, org: string, contactOf: ReadonlyMap<string, string>, lease?: Lease): void {
    if (lease && !heldLane(db, lease)) return
    for (const [conversation, contact] of contactOf) {
      db.run('INSERT OR IGNORE INTO conversations VALUES (?, ?, ?)', org, conversation, contact)
    }
  },
}
