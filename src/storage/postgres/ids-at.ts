/** Where a time lies among the ids, which are nearly in the order of receipt. */
import type { Range } from '../place.ts'
import type { Session } from './database.ts'

/** Entries below `first` were received before this time, and those from `below` on at it or later. */
export async function idsAt(db: Session, org: string | undefined, time: number): Promise<Range> {
  const row = await db.get('SELECT first, below FROM ids_at_1($1, $2)', org ?? null, time)
  return { first: Number(row!.first), below: Number(row!.below) }
}
