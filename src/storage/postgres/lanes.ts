/** An account's turns: whether something is due in a lane, and when it may be claimed. */
import type { Lane, Lease, State, Woken } from '../ports.ts'
import { columns } from './counts.ts'
import { type Prepared, prepared, type Session } from './database.ts'

export function laneOf(state: State | 'ignored'): Lane | undefined {
  return state === 'waiting' ? 'send' : state === 'asking' ? 'ask' : undefined
}

/**
 * Something is due in these lanes from then on; a lane that is already ready, or backs off, stays as it is and is not
 * touched, so that nobody waits for it; one that only rests until its first question is due again is ready earlier. The
 * accounts' locks are ours or shared. Gives those that have woken up.
 */
export async function makeReady(
  session: Session,
  lanes: readonly { org: string; lane: string; at: number }[],
): Promise<Woken[]> {
  if (lanes.length === 0) return []
  return (await session.all(waking, ...columns(lanes, ['org', 'lane', 'at']))) as unknown as Woken[]
}

const asleep = (now: string, at: string) =>
  `(${now}.ready_at IS NULL OR (${now}.lane = 'ask' AND ${now}.failures = 0 AND ${now}.trouble IS NULL AND ${now}.ready_at > ${at}))`

const waking = prepared(`
WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS g (org, lane, at))
INSERT INTO lanes (org, lane, ready_at)
SELECT g.org, g.lane, g.at FROM given g LEFT JOIN lanes l ON l.org = g.org AND l.lane = g.lane
WHERE ${asleep('l', 'g.at')} ORDER BY g.org, g.lane
ON CONFLICT (org, lane) DO UPDATE SET ready_at = excluded.ready_at
WHERE ${asleep('lanes', 'excluded.ready_at')} RETURNING org, lane`)

/** The lane may be claimed from `at` on if something waits in it, or when its first entry is due. The account's lock is ours alone. */
export async function settleLane(session: Session, org: string, lane: Lane, at: number): Promise<void> {
  await session.run(settling[lane], org, at, lane)
}

/** The lane of a lease, while it is its holder's: its values are `heldBy`. */
export const heldLease =
  'org = $1 AND lane = $2 AND token = $3 AND holder IS NOT DISTINCT FROM $4 AND lease_until IS NOT NULL'

export function heldBy({ org, lane, token, holder }: Lease) {
  return [org, lane, token, holder ?? null] as const
}

/** When the first entry in line can be worked on, at `$2` the earliest; null when there is none. */
export const firstDue: Record<Lane, string> = {
  send: `SELECT $2::bigint AS at FROM entries WHERE org = $1 AND state = 'waiting' LIMIT 1`,
  ask: `SELECT greatest($2::bigint, due_at) AS at FROM entries WHERE org = $1 AND state = 'asking' ORDER BY due_at LIMIT 1`,
}

const settling: Record<Lane, Prepared> = {
  send: prepared(`UPDATE lanes SET ready_at = (${firstDue.send}) WHERE org = $1 AND lane = $3`),
  ask: prepared(`UPDATE lanes SET ready_at = (${firstDue.ask}) WHERE org = $1 AND lane = $3`),
}
