/** What became of a lease's entries, all of it in one statement: see settle_1 in functions.ts. */
import { shortened } from '../history.ts'
import type { Attempt, Lane, LaneKey } from '../ports/entry.ts'
import type { Ending, Lease, Settlement } from '../ports/inbox.ts'
import { columns } from './counts.ts'
import { type Database, prepared } from './database.ts'
import { takeBack } from './given.ts'
import { heldBy } from './lanes.ts'

const settling = prepared(`SELECT * FROM settle_1(${Array.from({ length: 27 }, (_, at) => `$${at + 1}`).join(', ')})`)

/** Resolves to whether the lease was held, and which lanes have woken up. */
export async function settle(
  db: Database,
  lease: Lease,
  settlements: readonly Settlement[],
  ending?: Ending,
): Promise<{ held: boolean; woke: LaneKey[] }> {
  const [org, destination, lane, token, holder] = heldBy(lease)
  const attempts = [...new Set(settlements.flatMap(({ attempt }) => attempt ?? []))]
  const rows = settlements.map((settlement) => ({
    ...settlement,
    reason: 'reason' in settlement ? settlement.reason : undefined,
    nth: settlement.attempt && attempts.indexOf(settlement.attempt) + 1,
  }))
  const { tried } = ending ?? {}
  const settled = await db.alone(
    settling,
    ...[org, destination, lane, token, holder],
    ...columns(rows, ['id', 'to', 'at', 'reason', 'dueAt', 'contact', 'conversation', 'known', 'nth']),
    ...columns<Attempt>(attempts, ['at', 'ms', 'status', 'many', 'tries']),
    ending !== undefined,
    ending?.readyAt ?? null,
    ending?.failures ?? null,
    ending?.trouble ?? null,
    tried?.at ?? null,
    tried?.setback ?? null,
    ending?.retryAfterAt ?? null,
    ending?.crashed ?? false,
  )
  const held = settled[0]?.held === true
  if (held) {
    takeBack(
      lease,
      settlements.flatMap(({ id, to }) => (to === 'same' ? [] : [id])),
    )
    await shorten(db, (settled[0]!.long ?? []) as unknown[])
  }
  const woke = settled.flatMap(({ woke_org, woke_destination, woke_lane }): LaneKey[] =>
    woke_org === null
      ? []
      : [{ org: woke_org as string, destination: Number(woke_destination), lane: woke_lane as Lane }],
  )
  return { held, woke }
}

/** A long run of failures is kept as its first and its last: after the statement, since it happens once in many attempts. */
async function shorten(db: Database, ids: readonly unknown[]): Promise<void> {
  for (const id of ids) {
    const row = await db.get('SELECT history FROM entries WHERE id = $1', id)
    if (!row?.history) continue
    const { bytes, leftOut } = shortened(row.history as Uint8Array)
    await db.run(
      `WITH shorter AS (UPDATE entries SET history = $2 WHERE id = $1 AND history = $3 RETURNING id),
       fewer AS (UPDATE attempts SET remain = remain - 1 WHERE id = ANY ($4) AND EXISTS (SELECT 1 FROM shorter) RETURNING id, remain)
       SELECT id FROM fewer`,
      id,
      bytes,
      row.history,
      leftOut,
    )
    await db.run('DELETE FROM attempts WHERE id = ANY ($1) AND remain <= 0', leftOut)
  }
}
