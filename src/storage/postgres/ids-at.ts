/** Where a time lies among the ids, which are nearly in the order of receipt. */
import type { Range } from '../candidates.ts'
import type { Org } from '../ports/entry.ts'
import type { Session } from './database.ts'

/** Entries below `first` were received before this time, and those from `below` on at it or later. */
export async function idsAt(db: Session, org: string | undefined, time: number): Promise<Range> {
  const row = await db.get('SELECT first, below FROM ids_at_1($1, $2)', org ?? null, time)
  return { first: Number(row!.first), below: Number(row!.below) }
}

/** An account's first id that was received at this time or later; behind its last one where none was. */
export async function firstSince(db: Session, org: Org, time: number): Promise<number> {
  const { first, below } = await idsAt(db, org, time)
  const sql = 'SELECT min(id) AS id FROM entries WHERE org = $1 AND id >= $2 AND id < $3 AND received_at >= $4'
  return Number((await db.get(sql, org, first, below, time))!.id ?? below)
}
