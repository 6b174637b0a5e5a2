/** The schema, as numbered steps that are never edited once released; the file's user_version says how far it is. */
import type { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'

/** Marks the file as ours in its header, so that a stranger's database is never written to. */
const applicationId = 0x44535331

export const steps: readonly string[] = [
  `
  CREATE TABLE vault (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;

  CREATE TABLE installs (
    org TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT, settings TEXT NOT NULL,
    grant_sealed BLOB, refresh_at INTEGER,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, generation INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE conversations (
    org TEXT, conversation TEXT, contact TEXT NOT NULL, PRIMARY KEY (org, conversation)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX conversations_contact ON conversations (org, contact);

  -- The last of the numbers that order entries and claims, see ../place.ts.
  CREATE TABLE places (last INTEGER NOT NULL) STRICT;
  INSERT INTO places VALUES (0);

  -- No index by the time: what has run out is found by a walk over the keys, see ../forgetting.ts.
  CREATE TABLE identities (identity BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID, STRICT;

  -- since: entries with a larger id are meant for it. A number is never given again, so what was removed stays.
  CREATE TABLE destinations (
    org TEXT, number INTEGER, since INTEGER NOT NULL, removed_at INTEGER, PRIMARY KEY (org, number)
  ) WITHOUT ROWID, STRICT;

  -- Natural keys, as keyed digests, that a destination has had an event with; 0: the key of an erased person.
  CREATE TABLE occurrences (
    org TEXT, key BLOB, destination INTEGER, PRIMARY KEY (org, key, destination)
  ) WITHOUT ROWID, STRICT;

  -- The texts of an account's entries, sealed together. trim: grows when an entry of it is
  -- taken away; 0 when its texts are those of its entries.
  CREATE TABLE bodies (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, n INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 0,
    trim INTEGER NOT NULL DEFAULT 0, sealed BLOB NOT NULL
  ) STRICT;
  CREATE INDEX bodies_marked ON bodies (org, id) WHERE trim > 0;

  -- Written once, but for settled_at, history (../history.ts) and resent (../resent.ts), and what was learnt of it.
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, type TEXT NOT NULL, message_id TEXT NOT NULL, received_at INTEGER NOT NULL,
    mapping INTEGER NOT NULL, bytes INTEGER NOT NULL, contact TEXT, conversation TEXT, settled_at INTEGER, history BLOB,
    resent TEXT
  ) STRICT;
  CREATE INDEX entries_org ON entries (org, id);

  -- What is still to be sent to a destination. lane: 0 what webhooks bring, 1 what was read at Drift.
  CREATE TABLE queue (
    org TEXT, destination INTEGER, lane INTEGER, place INTEGER, id INTEGER NOT NULL,
    PRIMARY KEY (org, destination, lane, place)
  ) WITHOUT ROWID, STRICT;

  -- Entries that have left the simple way, at one destination or (0) at all. waiting: back in the queue, at this place.
  -- once: the natural key of one that no destination has been given yet.
  CREATE TABLE exceptions (
    id INTEGER, destination INTEGER, org TEXT NOT NULL, state TEXT NOT NULL, reason TEXT, received_at INTEGER NOT NULL,
    due_at INTEGER, failures INTEGER NOT NULL DEFAULT 0, place INTEGER, once BLOB, PRIMARY KEY (id, destination)
  ) WITHOUT ROWID, STRICT;
  -- With all that lists and counts ask for, so that they look at nothing else.
  CREATE INDEX exceptions_listed ON exceptions (org, state, id, destination, reason);
  CREATE INDEX exceptions_lookups ON exceptions (org, due_at, id) WHERE state = 'asking';
  CREATE INDEX exceptions_not_installed ON exceptions (id) WHERE state = 'unclaimed';
  CREATE INDEX exceptions_failed ON exceptions (received_at) WHERE state IN ('dead', 'quarantined');

  -- What Drift answered about an entry; with a destination, what it is sent with there, which says the rest as well.
  CREATE TABLE learnt (
    id INTEGER, destination INTEGER, sealed BLOB NOT NULL, PRIMARY KEY (id, destination)
  ) WITHOUT ROWID, STRICT;

  -- One row a request; destination 0: to Drift. Also one for entries that were sent again: who wanted it.
  -- remain: so many of its entries are there still.
  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, destination INTEGER NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL,
    status INTEGER NOT NULL, many INTEGER NOT NULL, tries INTEGER NOT NULL, remain INTEGER NOT NULL,
    reason TEXT, next_at INTEGER, who TEXT, excerpt BLOB
  ) STRICT;
  CREATE INDEX attempts_org ON attempts (org, destination, at);

  -- holder: the process that has the lease. isolating: so many entries are still to be handed out one at a time.
  -- retry_after_at: until when the other side wants to be left alone. asked_at: when a person last wanted an attempt, and
  -- asked: whether it is still to be made.
  CREATE TABLE lanes (
    org TEXT, destination INTEGER, lane TEXT, ready_at INTEGER, lease_until INTEGER, holder TEXT,
    token INTEGER NOT NULL DEFAULT 0, served INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0, isolating INTEGER NOT NULL DEFAULT 0, hold TEXT, blocked TEXT, tried_at INTEGER,
    last_error TEXT, retry_after_at INTEGER, asked_at INTEGER, asked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, destination, lane)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX lanes_ready ON lanes (lane, served) WHERE ready_at IS NOT NULL AND hold IS NULL;

  -- reason: of what is ignored; else empty. So it is in time_buckets.
  CREATE TABLE counts (
    org TEXT, destination INTEGER, type TEXT, outcome TEXT, reason TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (org, destination, type, outcome, reason)
  ) WITHOUT ROWID, STRICT;

  -- Counts by the minute, and by the hour when they are older.
  CREATE TABLE time_buckets (
    org TEXT, at INTEGER, destination INTEGER, type TEXT, outcome TEXT, reason TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (org, at, destination, type, outcome, reason)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX time_buckets_minutes ON time_buckets (at) WHERE at % 3600000 <> 0;

  -- What people search by. Random places in a large tree, so it is written after the answer, in larger steps.
  CREATE TABLE search_index (
    org TEXT, kind TEXT, value TEXT, id INTEGER, PRIMARY KEY (org, kind, value, id)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE indexed (last INTEGER NOT NULL) STRICT;
  INSERT INTO indexed VALUES (0);

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, org TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, about TEXT
  ) STRICT;
  CREATE INDEX audit_org ON audit (org, id);
  CREATE INDEX audit_what ON audit (org, what, id);

  CREATE TABLE tickets (
    kind TEXT, id TEXT, org TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX tickets_until ON tickets (kind, until);

  -- only_one: of those that have not ended, at most one has it. token: grows with every claim.
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, org TEXT NOT NULL, who TEXT NOT NULL, only_one TEXT, input TEXT NOT NULL,
    state TEXT NOT NULL, cursor TEXT, counts TEXT NOT NULL, reason TEXT, cancelled_by TEXT, created_at INTEGER NOT NULL,
    started_at INTEGER, changed_at INTEGER NOT NULL, ended_at INTEGER, keep_until INTEGER,
    token INTEGER NOT NULL DEFAULT 0, lease_until INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX jobs_only_one ON jobs (only_one) WHERE ended_at IS NULL;
  CREATE INDEX jobs_org ON jobs (org, created_at, id);
  CREATE INDEX jobs_unfinished ON jobs (created_at, id) WHERE ended_at IS NULL;

  -- Where accounts want alerts; what their rules have said; and every message, with what came back. due_at: NULL when it has
  -- ended. token: grows with every claim.
  CREATE TABLE alert_recipients (
    org TEXT, id TEXT, channel TEXT NOT NULL, sealed BLOB NOT NULL, created_at INTEGER NOT NULL, confirmed_at INTEGER,
    PRIMARY KEY (org, id)
  ) STRICT;
  CREATE TABLE alert_watches (org TEXT PRIMARY KEY, state TEXT NOT NULL, generation INTEGER NOT NULL) STRICT;
  CREATE TABLE alert_messages (
    id TEXT PRIMARY KEY, org TEXT NOT NULL, recipient TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    created_at INTEGER NOT NULL, due_at INTEGER, tries INTEGER NOT NULL DEFAULT 0, tried_at INTEGER, ms INTEGER,
    status INTEGER, answer TEXT, ended TEXT, ended_at INTEGER, keep_until INTEGER, token INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER
  ) STRICT;
  CREATE INDEX alert_messages_due ON alert_messages (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX alert_messages_org ON alert_messages (org, created_at, id);

  -- Who may ask Drift for an account's new grant, and until when.
  CREATE TABLE reservations (org TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID, STRICT;

  -- A word of the service that has the file open, see stamp.ts.
  CREATE TABLE opened (stamp TEXT NOT NULL) STRICT;
  INSERT INTO opened VALUES ('');

  -- How many erasings there were; of how many the log holds nothing any more; and of how many the file does not: purge.ts.
  CREATE TABLE erasures (last INTEGER NOT NULL, logged INTEGER NOT NULL, purged INTEGER NOT NULL) STRICT;
  INSERT INTO erasures VALUES (0, 0, 0);
  `,
]

/** Rejects a file of another program, and changes nothing of it. */
export function assertOurs(db: DatabaseSync): void {
  const [version, owner] = [pragma(db, 'user_version'), pragma(db, 'application_id')]
  if (owner !== applicationId && (owner !== 0 || version !== 0 || hasTables(db))) {
    throw new Problem('store_not_ours', 'DATABASE_URL names an SQLite file of another program; it was left untouched', {
      hint: 'name another path',
      exitCode: 78,
    })
  }
}

/** After `assertOurs`. `absent`: what is thrown instead of making a new store. */
export function migrate(db: DatabaseSync, absent?: () => Problem): void {
  const version = pragma(db, 'user_version')
  if (version > steps.length) {
    throw new Problem('store_too_new', `the store has schema ${version}, this version knows ${steps.length}`, {
      hint: 'run the version that wrote it, or a newer one',
      exitCode: 78,
    })
  }
  if (version === steps.length) return
  if (version === 0 && absent) throw absent()
  db.exec('BEGIN IMMEDIATE')
  // Read again: another process may have migrated between the look above and the lock.
  for (const step of steps.slice(pragma(db, 'user_version'))) db.exec(step)
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`)
  db.exec('COMMIT')
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return (db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] ?? 0
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined
}
