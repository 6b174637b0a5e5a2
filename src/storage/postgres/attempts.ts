/** What was tried and done with entries, as rows that their histories name; see ../history.ts. */
import { shortened } from '../history.ts'
import type { Session } from './database.ts'

/** A long run of failures is kept as its first and its last: after the statement, since it happens once in many attempts. */
export async function shorten(db: Session, ids: readonly unknown[]): Promise<void> {
  for (const id of ids) {
    const row = await db.get('SELECT history FROM entries WHERE id = $1', id)
    if (!row?.history) continue
    const { bytes, leftOut } = shortened(row.history as Uint8Array)
    await db.run(
      `WITH shorter AS (UPDATE entries SET history = $2 WHERE id = $1 AND history = $3 RETURNING id),
       fewer AS (UPDATE attempts SET remain = remain - 1, excerpt = NULL WHERE id = ANY ($4) AND EXISTS (SELECT 1 FROM shorter) RETURNING id, remain)
       SELECT id FROM fewer`,
      id,
      bytes,
      row.history,
      leftOut,
    )
    await db.run('DELETE FROM attempts WHERE id = ANY ($1) AND remain <= 0', leftOut)
  }
}
