/** All that one engine keeps, row by row, into another. */

export type Cell = string | number | bigint | Uint8Array | null

export interface Table {
  name: string
  /** Each with its type in PostgreSQL's words. */
  columns: Readonly<Record<string, 'text' | 'bigint' | 'bytea'>>
  /** What tells two rows apart, and orders them. */
  key: readonly string[]
}

export interface Source {
  /** But for what is `left`. */
  tables(): Promise<Table[]>
  count(table: Table): Promise<number>
  /** Some of the rows after this one, in the order of the key. */
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

/**
 * Left: what is over in minutes (browsers sign in again, and leases have ended), and what an engine makes by itself. Whatever
 * else the store has is copied.
 */
export const left = {
  tables: ['tickets', 'reservations', 'search_index', 'places', 'indexed', 'opened', 'erasures'],
  columns: ['lease_until', 'holder', 'asked'],
}

/** Copies what is not there yet; resolves to the tables whose rows are not all there, which should be none. */
export async function copyAll(
  source: Source,
  target: Target,
  told: (table: string, rows: number, of: number) => void,
): Promise<string[]> {
  await target.begin()
  const short: string[] = []
  for (const table of await source.tables()) {
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
