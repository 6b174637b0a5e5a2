/** What PostgreSQL does in a way of its own within calls that both engines carry out alike: see ../statements.ts. */
import { historyBytesMax } from '../history.ts'
import type { Own } from '../statements.ts'
import { shorten } from './attempts.ts'
import { keepCounts } from './counts.ts'
import { prepared, type Session } from './database.ts'
import { destinationsOf, inQueue } from './functions/by-id.ts'
import { makeReady } from './lanes.ts'
import { lock, tryLock } from './locks.ts'

type AtServer = {
  [Name in keyof Own]: (session: Session, ...args: Parameters<Own[Name]>) => Promise<ReturnType<Own[Name]>>
}

export const own: AtServer = {
  lock,
  tryLock,
  // Dead rows are the server's to take away, by VACUUM.
  async noteErasure() {},
  async idsAt(session, org, time) {
    const row = await session.get('SELECT first, below FROM ids_at_1($1, $2)', org ?? null, time)
    return { first: Number(row!.first), below: Number(row!.below) }
  },
  async takePlaces(session, many) {
    const rows = await session.all(`SELECT nextval('places') AS place FROM generate_series(1, $1)`, many)
    return rows.map(({ place }) => place as number)
  },
  wake: makeReady,
  keepCounts,
  async noteHistory(session, id, notes, settledAt) {
    const sql = `UPDATE entries SET settled_at = $3, history = coalesce(history, '') || $2::bytea WHERE id = $1
      RETURNING length(history) AS length`
    const noted = await session.get(sql, id, notes, settledAt)
    if (Number(noted?.length) > historyBytesMax) await shorten(session, [id])
  },
  async remove(session, ids) {
    return Number((await session.get(removing, ids))!.removed)
  },
  /** Their rows are locked. */
  async stillFinal(session, ids) {
    const rows = await session.all(
      `SELECT e.id FROM entries e WHERE e.id = ANY ($1)
         AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.id = e.id AND x.state <> 'unclaimed' OFFSET 0)
         AND NOT EXISTS (SELECT 1 FROM ${destinationsOf('e.org')} d ${inQueue('e.org', 'd.number', 'e.id')} OFFSET 0)
       ORDER BY e.id FOR UPDATE OF e SKIP LOCKED`,
      ids,
    )
    return rows.map(({ id }) => id as number)
  },
  async ageTimeBuckets(session, { minutesBefore, hoursBefore }) {
    const columns = 'org, at, destination, type, outcome, reason, count'
    await session.run(
      `WITH old AS (
         DELETE FROM time_buckets WHERE (at < $1 AND at % 3600000 <> 0) OR at < $2 RETURNING ${columns}
       )
       INSERT INTO time_buckets (${columns})
         SELECT org, at - at % 3600000 AS hour, destination, type, outcome, reason, sum(count) FROM old WHERE at >= $2
         GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
       ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = time_buckets.count + excluded.count`,
      minutesBefore,
      hoursBefore,
    )
  },
}

const removing = prepared('SELECT remove_2($1) AS removed')
