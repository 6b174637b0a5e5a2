/** All that one engine keeps, row by row, into another: every table, what it must not be moved without, and in what order. */

export type Cell = string | number | bigint | Uint8Array | null

export interface Table {
  name: string
  /** Each with its type in PostgreSQL's words. */
  columns: Readonly<Record<string, 'text' | 'bigint' | 'integer' | 'bytea'>>
  /** What tells two rows apart, and orders them. */
  key: readonly string[]
  /** Rows at once: bodies are up to a quarter of a megabyte each. */
  rowsMax: number
}

export interface Source {
  count(table: Table): Promise<number>
  /** The rows after this one, in the order of the key. */
  rows(table: Table, after: readonly Cell[] | undefined): Promise<Cell[][]>
  lastPlace(): Promise<number>
  close(): Promise<void>
}

export interface Target {
  /** Marks the store as unfinished, so that no service starts on it; rejects when something else is in it already. */
  begin(): Promise<void>
  /** Rows that are there already stay as they are, so that a move may be begun again. */
  put(table: Table, rows: readonly (readonly Cell[])[]): Promise<void>
  count(table: Table): Promise<number>
  finish(lastPlace: number): Promise<void>
  close(): Promise<void>
}

/** `columns`: each with its type, as in a CREATE TABLE. */
function table(name: string, key: string, columns: string, rowsMax = 1_000): Table {
  const typed = columns.split(/,\s*/).map((column) => column.split(' '))
  return { name, columns: Object.fromEntries(typed), key: key.split(', '), rowsMax }
}

/** Sessions and reservations are left: they are over in minutes, and browsers sign in again. */
export const tables: readonly Table[] = [
  table('vault', 'name', 'name text, value bytea'),
  table(
    'installs',
    'org',
    `org text, state text, reason text, settings text, grant_sealed bytea, refresh_at bigint,
     created_at bigint, updated_at bigint, generation bigint`,
  ),
  table('conversations', 'org, conversation', 'org text, conversation text, contact text', 5_000),
  table('identities', 'identity', 'identity bytea, until bigint', 5_000),
  table('destinations', 'org, number', 'org text, number integer, since bigint, removed_at bigint'),
  table('occurrences', 'org, key, destination', 'org text, key bytea, destination integer', 5_000),
  table('bodies', 'id', 'id bigint, org text, n integer, version integer, trim integer, sealed bytea', 100),
  table(
    'entries',
    'id',
    `id bigint, org text, type text, message_id text, received_at bigint, mapping integer, bytes integer,
     contact text, conversation text, settled_at bigint, history bytea, resent text`,
    2_000,
  ),
  table(
    'queue',
    'org, destination, lane, place',
    'org text, destination integer, lane integer, place bigint, id bigint',
    5_000,
  ),
  table(
    'exceptions',
    'id, destination',
    `id bigint, destination integer, org text, state text, reason text, received_at bigint, due_at bigint,
     failures integer, place bigint, once bytea`,
    2_000,
  ),
  table('learnt', 'id, destination', 'id bigint, destination integer, sealed bytea', 500),
  table(
    'attempts',
    'id',
    `id bigint, org text, destination integer, at bigint, ms bigint, status integer, many integer,
     tries integer, remain integer, reason text, next_at bigint, who text, excerpt bytea`,
    2_000,
  ),
  table(
    'lanes',
    'org, destination, lane',
    `org text, destination integer, lane text, ready_at bigint, token bigint, served bigint, failures integer,
     crashes integer, isolating integer, hold text, blocked text, tried_at bigint, last_error text,
     retry_after_at bigint, asked_at bigint`,
  ),
  table(
    'counts',
    'org, destination, type, outcome, reason',
    'org text, destination integer, type text, outcome text, reason text, count bigint',
  ),
  table(
    'time_buckets',
    'org, at, destination, type, outcome, reason',
    'org text, at bigint, destination integer, type text, outcome text, reason text, count bigint',
  ),
  table('audit', 'id', 'id bigint, at bigint, org text, who text, what text, about text'),
  table(
    'jobs',
    'id',
    `id text, kind text, org text, who text, only_one text, input text, state text, cursor text, counts text,
     reason text, cancelled_by text, created_at bigint, started_at bigint, changed_at bigint, ended_at bigint,
     keep_until bigint, token bigint`,
  ),
  table(
    'alert_recipients',
    'org, id',
    'org text, id text, channel text, sealed bytea, created_at bigint, confirmed_at bigint',
  ),
  table('alert_watches', 'org', 'org text, state text, generation bigint'),
  table(
    'alert_messages',
    'id',
    `id text, org text, recipient text, channel text, kind text, body text, created_at bigint, due_at bigint,
     tries integer, tried_at bigint, ms bigint, status integer, answer text, ended text, ended_at bigint,
     keep_until bigint, token bigint`,
  ),
]

/** Copies what is not there yet; resolves to the tables whose rows are not all there, which should be none. */
export async function copyAll(
  source: Source,
  target: Target,
  told: (table: string, rows: number, of: number) => void,
): Promise<string[]> {
  await target.begin()
  const short: string[] = []
  for (const table of tables) {
    const of = await source.count(table)
    const keyAt = table.key.map((name) => Object.keys(table.columns).indexOf(name))
    let after: Cell[] | undefined
    for (let done = 0; ; ) {
      const rows = await source.rows(table, after)
      if (rows.length === 0) break
      await target.put(table, rows)
      after = keyAt.map((at) => rows.at(-1)![at]!)
      done += rows.length
      told(table.name, done, of)
    }
    if ((await target.count(table)) !== of) short.push(table.name)
  }
  if (short.length === 0) await target.finish(await source.lastPlace())
  return short
}
