/** What became of a lease's entries, all of it in one statement: see settle_1 in functions.ts. */
import type { Attempt, Lane, LaneKey } from '../ports/entry.ts'
import type { Ending, Lease, Settlement } from '../ports/inbox.ts'
import { shorten } from './attempts.ts'
import { columns } from './counts.ts'
import { type Database, prepared } from './database.ts'
import { takeBack } from './given.ts'
import { heldBy } from './lanes.ts'

const settling = prepared(`SELECT * FROM settle_1(${Array.from({ length: 31 }, (_, at) => `$${at + 1}`).join(', ')})`)

/** Resolves to whether the lease was held, and which lanes have woken up. */
export async function settle(
  db: Database,
  lease: Lease,
  settlements: readonly Settlement[],
  ending?: Ending,
): Promise<{ held: boolean; woke: LaneKey[] }> {
  const [org, destination, lane, token, holder] = heldBy(lease)
  const nths = new Map<Attempt, number>()
  const nthOf = (attempt: Attempt) => nths.get(attempt) ?? nths.set(attempt, nths.size + 1).size
  const rows = settlements.map((settlement) => ({
    ...settlement,
    reason: 'reason' in settlement ? settlement.reason : undefined,
    earlier: settlement.earlier?.map(nthOf).join(','),
    nth: settlement.attempt && nthOf(settlement.attempt),
  }))
  const { tried } = ending ?? {}
  const settled = await db.alone(
    settling,
    ...[org, destination, lane, token, holder],
    ...columns(rows, ['id', 'to', 'at', 'reason', 'dueAt', 'contact', 'conversation', 'known', 'nth', 'earlier']),
    ...columns<Attempt>([...nths.keys()], ['at', 'ms', 'status', 'many', 'tries', 'reason', 'nextAt', 'excerpt']),
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
