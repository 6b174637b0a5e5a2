/**
 * The schema, as numbered steps that are never edited once released. Many replicas may start at once: the first takes
 * the steps, the others wait for it. During a rolling upgrade an older version meets a newer schema: it goes on while
 * `least` allows it, and is refused otherwise.
 */
import { Problem } from '../../lib/errors.ts'
import { type Database, type Session, schema } from './database.ts'
import { functions2 } from './functions/version-2.ts'
import { functions3 } from './functions/version-3.ts'
import { functions } from './functions.ts'
import { lock } from './locks.ts'

interface Step {
  sql: string
  /** Versions that know fewer steps can go on beside it: it only adds what they need not know. */
  additive?: true
}

export const steps: readonly Step[] = [
  {
    sql: `
  CREATE TABLE vault (name text PRIMARY KEY, value bytea NOT NULL);

  CREATE TABLE installs (
    org text PRIMARY KEY, state text NOT NULL, reason text, settings text NOT NULL,
    grant_sealed bytea, refresh_at bigint,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, generation bigint NOT NULL
  );
  -- Who may ask Drift for an account's new grant, and until when.
  CREATE TABLE reservations (org text PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL);

  CREATE TABLE conversations (
    org text, conversation text, contact text NOT NULL, PRIMARY KEY (org, conversation)
  );
  CREATE INDEX conversations_contact ON conversations (org, contact);

  -- Numbers that order entries and claims, see ../place.ts.
  CREATE SEQUENCE places;

  -- No index by the time: what has run out is found by a walk over the keys, see ../forgetting.ts.
  CREATE TABLE identities (identity bytea PRIMARY KEY, until bigint NOT NULL);

  -- since: entries with a larger id are meant for it. A number is never given again, so what was removed stays.
  CREATE TABLE destinations (
    org text, number integer, since bigint NOT NULL, removed_at bigint, PRIMARY KEY (org, number)
  );

  -- Natural keys, as keyed digests, that a destination has had an event with; 0: the key of an erased person.
  CREATE TABLE occurrences (org text, key bytea, destination integer, PRIMARY KEY (org, key, destination));

  -- The texts of an account's entries, sealed together. trim: grows when an entry of it is
  -- taken away; 0 when its texts are those of its entries.
  CREATE TABLE bodies (
    id bigint PRIMARY KEY, org text NOT NULL, n integer NOT NULL, version integer NOT NULL DEFAULT 0,
    trim integer NOT NULL DEFAULT 0, sealed bytea NOT NULL
  );
  CREATE INDEX bodies_marked ON bodies (org, id) WHERE trim > 0;
  -- Sealed bytes do not shrink: trying costs time.
  ALTER TABLE bodies ALTER sealed SET STORAGE EXTERNAL;

  -- Written once, but for settled_at, history (../history.ts), resent (../resent.ts), and what was learnt of it: none of that is in an index.
  CREATE TABLE entries (
    id bigint PRIMARY KEY, org text NOT NULL, type text NOT NULL, message_id text NOT NULL, received_at bigint NOT NULL,
    mapping integer NOT NULL, bytes integer NOT NULL, contact text, conversation text, settled_at bigint, history bytea,
    resent text
  ) WITH (fillfactor = 85);
  CREATE INDEX entries_org ON entries (org, id);

  -- What is still to be sent to a destination. lane: 0 what webhooks bring, 1 what was read at Drift.
  CREATE TABLE queue (
    org text, destination integer, lane integer, place bigint, id bigint NOT NULL,
    PRIMARY KEY (org, destination, lane, place)
  );

  -- Entries that have left the simple way, at one destination or (0) at all. waiting: back in the queue, at this place.
  -- once: the natural key of one that no destination has been given yet.
  CREATE TABLE exceptions (
    id bigint, destination integer, org text NOT NULL, state text NOT NULL, reason text, received_at bigint NOT NULL,
    due_at bigint, failures integer NOT NULL DEFAULT 0, place bigint, once bytea, PRIMARY KEY (id, destination)
  );
  -- With all that lists and counts ask for, so that they look at nothing else.
  CREATE INDEX exceptions_listed ON exceptions (org, state, id, destination, reason);
  CREATE INDEX exceptions_lookups ON exceptions (org, due_at, id) WHERE state = 'asking';
  CREATE INDEX exceptions_not_installed ON exceptions (id) WHERE state = 'unclaimed';
  CREATE INDEX exceptions_failed ON exceptions (received_at) WHERE state IN ('dead', 'quarantined');

  -- What Drift answered about an entry; with a destination, what it is sent with there, which says the rest as well.
  CREATE TABLE learnt (id bigint, destination integer, sealed bytea NOT NULL, PRIMARY KEY (id, destination));
  ALTER TABLE learnt ALTER sealed SET STORAGE EXTERNAL;

  -- One row a request; destination 0: to Drift. Also one for entries that were sent again: who wanted it.
  -- remain: so many of its entries are there still.
  CREATE TABLE attempts (
    id bigint PRIMARY KEY, org text NOT NULL, destination integer NOT NULL, at bigint NOT NULL, ms bigint NOT NULL,
    status integer NOT NULL, many integer NOT NULL, tries integer NOT NULL, remain integer NOT NULL,
    reason text, next_at bigint, who text, excerpt bytea
  );
  CREATE INDEX attempts_org ON attempts (org, destination, at);

  -- What people search by. A message is found without its account: its org is empty.
  CREATE TABLE search_index (org text, kind text, value text, id bigint, PRIMARY KEY (org, kind, value, id));

  -- holder: the process that has the lease. isolating: so many entries are still to be handed out one at a time.
  -- retry_after_at: until when the other side wants to be left alone. asked_at: when a person last wanted an attempt, and
  -- asked: whether it is still to be made.
  CREATE TABLE lanes (
    org text, destination integer, lane text, ready_at bigint, lease_until bigint, holder text, token bigint NOT NULL DEFAULT 0,
    served bigint NOT NULL DEFAULT 0, failures integer NOT NULL DEFAULT 0, crashes integer NOT NULL DEFAULT 0,
    isolating integer NOT NULL DEFAULT 0, hold text, blocked text, tried_at bigint, last_error text,
    retry_after_at bigint, asked_at bigint, asked integer NOT NULL DEFAULT 0,
    PRIMARY KEY (org, destination, lane)
  ) WITH (fillfactor = 50);
  CREATE INDEX lanes_ready ON lanes (lane, served) WHERE ready_at IS NOT NULL AND hold IS NULL;

  -- reason: of what is ignored; else empty. So it is in time_buckets.
  CREATE TABLE counts (
    org text, destination integer, type text, outcome text, reason text, count bigint NOT NULL,
    PRIMARY KEY (org, destination, type, outcome, reason)
  ) WITH (fillfactor = 50);

  -- Counts by the minute, and by the hour when they are older.
  CREATE TABLE time_buckets (
    org text, at bigint, destination integer, type text, outcome text, reason text, count bigint NOT NULL,
    PRIMARY KEY (org, at, destination, type, outcome, reason)
  ) WITH (fillfactor = 50);
  CREATE INDEX time_buckets_at ON time_buckets (at);

  CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL, org text NOT NULL, who text NOT NULL, what text NOT NULL, about text
  );
  CREATE INDEX audit_org ON audit (org, id);
  CREATE INDEX audit_what ON audit (org, what, id);

  CREATE TABLE tickets (
    kind text, id text, org text NOT NULL, who text NOT NULL, at bigint NOT NULL, until bigint NOT NULL,
    PRIMARY KEY (kind, id)
  );
  CREATE INDEX tickets_until ON tickets (until);

  -- only_one: of those that have not ended, at most one has it. token: grows with every claim.
  CREATE TABLE jobs (
    id text PRIMARY KEY, kind text NOT NULL, org text NOT NULL, who text NOT NULL, only_one text, input text NOT NULL,
    state text NOT NULL, cursor text, counts text NOT NULL, reason text, cancelled_by text, created_at bigint NOT NULL,
    started_at bigint, changed_at bigint NOT NULL, ended_at bigint, keep_until bigint,
    token bigint NOT NULL DEFAULT 0, lease_until bigint
  );
  CREATE UNIQUE INDEX jobs_only_one ON jobs (only_one) WHERE ended_at IS NULL;
  CREATE INDEX jobs_org ON jobs (org, created_at, id COLLATE "C");
  CREATE INDEX jobs_unfinished ON jobs (created_at, id) WHERE ended_at IS NULL;

  -- Where accounts want alerts; what their rules have said; and every message, with what came back. due_at: NULL when it has
  -- ended. token: grows with every claim.
  CREATE TABLE alert_recipients (
    org text, id text, channel text NOT NULL, sealed bytea NOT NULL, created_at bigint NOT NULL, confirmed_at bigint,
    PRIMARY KEY (org, id)
  );
  CREATE TABLE alert_watches (org text PRIMARY KEY, state text NOT NULL, generation bigint NOT NULL);
  CREATE TABLE alert_messages (
    id text COLLATE "C" PRIMARY KEY, org text NOT NULL, recipient text NOT NULL, channel text NOT NULL, kind text NOT NULL,
    body text NOT NULL, created_at bigint NOT NULL, due_at bigint, tries integer NOT NULL DEFAULT 0, tried_at bigint,
    ms bigint, status integer, answer text, ended text, ended_at bigint, keep_until bigint,
    token bigint NOT NULL DEFAULT 0, lease_until bigint
  );
  CREATE INDEX alert_messages_due ON alert_messages (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX alert_messages_org ON alert_messages (org, created_at, id);

  -- Rows that come and go by the thousand: what has gone is cleared away often and in small portions.
  ALTER TABLE entries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
  ALTER TABLE bodies SET (autovacuum_vacuum_scale_factor = 0.02);
  ALTER TABLE identities SET (autovacuum_vacuum_scale_factor = 0.02);
  ALTER TABLE lanes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  ALTER TABLE queue SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  ${functions}
  `,
  },
  { additive: true, sql: functions2 },
  { additive: true, sql: functions3 },
]

/**
 * Makes or completes the schema; rejects with a Problem, and changes nothing, when it is not for this version. `absent`:
 * what is thrown instead of making a new store.
 */
export async function migrate(database: Database, absent?: () => Problem): Promise<void> {
  const found = await versionOf(database)
  if (!found && absent) throw absent()
  if (found && judge(found.schema, found.least) === 'known') return
  await database.transaction(async (session) => {
    await lock(session, ['migrations'])
    // Read again: another replica may have taken the steps while this one waited.
    const current = await versionOf(session)
    if (current && judge(current.schema, current.least) === 'known') return
    if (!current) await create(session)
    const from = current?.schema ?? 0
    for (const { sql } of steps.slice(from)) await session.script(sql)
    const least = Math.max(current?.least ?? 0, steps.findLastIndex(({ additive }) => !additive) + 1)
    await session.run('UPDATE meta SET schema = $1, least = $2', steps.length, least)
  })
}

/** Rejects when a newer version has changed the schema since so that this one cannot go on. */
export async function assertKnown(session: Session): Promise<void> {
  const found = await versionOf(session)
  if (!found) throw new Problem('store_gone', 'our tables are not in the database any more')
  judge(found.schema, found.least)
}

function judge(stored: number, least: number): 'known' | 'older' {
  if (stored < steps.length) return 'older'
  if (least <= steps.length) return 'known'
  throw new Problem('store_too_new', `the store has schema ${stored}, this version knows ${steps.length}`, {
    hint: 'run the version that wrote it, or a newer one',
    exitCode: 78,
  })
}

async function versionOf(session: Session): Promise<{ schema: number; least: number } | undefined> {
  // Read from the catalogue itself: to_regclass may answer from before another replica's commit.
  const found = await session.all(
    `SELECT c.relname FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'meta'
     WHERE n.nspname = $1`,
    schema,
  )
  if (found[0]?.relname) {
    const row = await session.get(`SELECT schema, least FROM ${schema}.meta`)
    return row && { schema: Number(row.schema), least: Number(row.least) }
  }
  // A schema that an administrator made beforehand is taken, if nothing is in it.
  if (found.length > 0 && !(await isEmpty(session))) {
    throw new Problem('store_not_ours', `the database has a schema ${schema} that is not ours; it was left untouched`, {
      hint: 'name another database',
      exitCode: 78,
    })
  }
  return undefined
}

async function isEmpty(session: Session): Promise<boolean> {
  const sql = 'SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 LIMIT 1'
  return (await session.get(sql, schema)) === undefined
}

async function create(session: Session): Promise<void> {
  const isThere = await session.get('SELECT 1 FROM pg_namespace WHERE nspname = $1', schema)
  await session.script(`${isThere ? '' : `CREATE SCHEMA ${schema};`}
    CREATE TABLE meta (schema integer NOT NULL, least integer NOT NULL); INSERT INTO meta VALUES (0, 0)`)
}
