/** What is counted, written with the transaction that makes it true. */
import type { Collected } from '../tally.ts'
import { prepared, type Session } from './database.ts'

/** The last thing of a transaction: its rows are those that most others wait for. */
export async function keepCounts(session: Session, counts: Collected): Promise<void> {
  const [counted, noted] = [counts.counted(), counts.noted()]
  if (counted.length + noted.length === 0) return
  await session.all(
    counting,
    ...columns(counted, ['org', 'destination', 'type', 'outcome', 'reason', 'by']),
    ...columns(noted, ['org', 'at', 'destination', 'type', 'outcome', 'reason', 'by']),
  )
}

const counting = prepared(`SELECT count_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`)

/** Rows as columns: one array a column, which unnest makes rows of again. */
export function columns<Value extends object>(rows: readonly Value[], names: readonly (keyof Value)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name] ?? null))
}
