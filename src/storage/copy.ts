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

const text = 'text'
const bigint = 'bigint'

/** Sessions and reservations are left: they are over in minutes, and browsers sign in again. */
export const tables: readonly Table[] = [
  { name: 'vault', columns: { name: text, value: 'bytea' }, key: ['name'], rowsMax: 1_000 },
  {
    name: 'installs',
    columns: {
      org: text,
      state: text,
      reason: text,
      settings: text,
      grant_sealed: 'bytea',
      refresh_at: bigint,
      created_at: bigint,
      updated_at: bigint,
      generation: bigint,
    },
    key: ['org'],
    rowsMax: 1_000,
  },
  {
    name: 'conversations',
    columns: { org: text, conversation: text, contact: text },
    key: ['org', 'conversation'],
    rowsMax: 5_000,
  },
  { name: 'identities', columns: { identity: 'bytea', until: bigint }, key: ['identity'], rowsMax: 5_000 },
  {
    name: 'destinations',
    columns: { org: text, number: 'integer', since: bigint, removed_at: bigint },
    key: ['org', 'number'],
    rowsMax: 1_000,
  },
  {
    name: 'occurrences',
    columns: { org: text, key: 'bytea', destination: 'integer' },
    key: ['org', 'key', 'destination'],
    rowsMax: 5_000,
  },
  {
    name: 'bodies',
    columns: {
      id: bigint,
      org: text,
      n: 'integer',
      version: 'integer',
      trim: 'integer',
      sealed: 'bytea',
    },
    key: ['id'],
    rowsMax: 100,
  },
  {
    name: 'entries',
    columns: {
      id: bigint,
      org: text,
      type: text,
      message_id: text,
      received_at: bigint,
      mapping: 'integer',
      bytes: 'integer',
      contact: text,
      conversation: text,
      settled_at: bigint,
      history: 'bytea',
      resent: text,
    },
    key: ['id'],
    rowsMax: 2_000,
  },
  {
    name: 'queue',
    columns: { org: text, destination: 'integer', lane: 'integer', place: bigint, id: bigint },
    key: ['org', 'destination', 'lane', 'place'],
    rowsMax: 5_000,
  },
  {
    name: 'exceptions',
    columns: {
      id: bigint,
      destination: 'integer',
      org: text,
      state: text,
      reason: text,
      received_at: bigint,
      due_at: bigint,
      failures: 'integer',
      place: bigint,
      once: 'bytea',
    },
    key: ['id', 'destination'],
    rowsMax: 2_000,
  },
  {
    name: 'learnt',
    columns: { id: bigint, destination: 'integer', sealed: 'bytea' },
    key: ['id', 'destination'],
    rowsMax: 500,
  },
  {
    name: 'attempts',
    columns: {
      id: bigint,
      org: text,
      destination: 'integer',
      at: bigint,
      ms: bigint,
      status: 'integer',
      many: 'integer',
      tries: 'integer',
      remain: 'integer',
      reason: text,
      next_at: bigint,
      who: text,
      excerpt: 'bytea',
    },
    key: ['id'],
    rowsMax: 2_000,
  },
  {
    name: 'lanes',
    columns: {
      org: text,
      destination: 'integer',
      lane: text,
      ready_at: bigint,
      token: bigint,
      served: bigint,
      failures: 'integer',
      crashes: 'integer',
      isolating: 'integer',
      hold: text,
      blocked: text,
      tried_at: bigint,
      last_error: text,
      retry_after_at: bigint,
      asked_at: bigint,
    },
    key: ['org', 'destination', 'lane'],
    rowsMax: 1_000,
  },
  {
    name: 'counts',
    columns: { org: text, destination: 'integer', type: text, outcome: text, reason: text, count: bigint },
    key: ['org', 'destination', 'type', 'outcome', 'reason'],
    rowsMax: 1_000,
  },
  {
    name: 'time_buckets',
    columns: { org: text, at: bigint, destination: 'integer', type: text, outcome: text, reason: text, count: bigint },
    key: ['org', 'at', 'destination', 'type', 'outcome', 'reason'],
    rowsMax: 1_000,
  },
  {
    name: 'audit',
    columns: { id: bigint, at: bigint, org: text, who: text, what: text, about: text },
    key: ['id'],
    rowsMax: 1_000,
  },
  {
    name: 'jobs',
    columns: {
      id: text,
      kind: text,
      org: text,
      who: text,
      only_one: text,
      input: text,
      state: text,
      cursor: text,
      counts: text,
      reason: text,
      cancelled_by: text,
      created_at: bigint,
      started_at: bigint,
      changed_at: bigint,
      ended_at: bigint,
      keep_until: bigint,
      token: bigint,
    },
    key: ['id'],
    rowsMax: 1_000,
  },
  {
    name: 'alert_recipients',
    columns: { org: text, id: text, channel: text, sealed: 'bytea', created_at: bigint, confirmed_at: bigint },
    key: ['org', 'id'],
    rowsMax: 1_000,
  },
  {
    name: 'alert_watches',
    columns: { org: text, state: text, generation: bigint },
    key: ['org'],
    rowsMax: 1_000,
  },
  {
    name: 'alert_messages',
    columns: {
      id: text,
      org: text,
      recipient: text,
      channel: text,
      kind: text,
      body: text,
      created_at: bigint,
      due_at: bigint,
      tries: 'integer',
      tried_at: bigint,
      ms: bigint,
      status: 'integer',
      answer: text,
      ended: text,
      ended_at: bigint,
      keep_until: bigint,
      token: bigint,
    },
    key: ['id'],
    rowsMax: 1_000,
  },
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
