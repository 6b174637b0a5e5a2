/** What SQLite does in a way of its own within calls that both engines carry out alike: see ../statements.ts. */
import type { Limits } from '../ports/inbox.ts'
import type { Own } from '../statements.ts'
import { collected } from '../tally.ts'
import { noteHistory } from './attempts.ts'
import { keepCounts } from './counts.ts'
import type { Database } from './database.ts'
import { idsAt } from './ids-at.ts'
import { makeReady, takePlaces } from './lanes.ts'
import { noteErasure } from './purge.ts'
import { removeEntries } from './remove.ts'

export const own: { [Name in keyof Own]: (db: Database, ...args: Parameters<Own[Name]>) => ReturnType<Own[Name]> } = {
  // One call at a time.
  lock() {},
  tryLock: () => true,
  noteErasure,
  idsAt,
  takePlaces(db, many) {
    const before = takePlaces(db, many)
    return Array.from({ length: many }, (_, nth) => before + nth + 1)
  },
  wake(db, lanes) {
    for (const { at, ...key } of lanes) makeReady(db, key, at)
  },
  keepCounts,
  noteHistory,
  remove(db, ids) {
    const columns = 'id, org, type, message_id, contact, conversation, history'
    const rows = db.all(
      `SELECT ${columns} FROM entries WHERE id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(ids),
    )
    const counts = collected()
    removeEntries(db, rows, counts)
    keepCounts(db, counts)
    return rows.length
  },
  stillFinal(db, ids) {
    const rows = db.all(
      `SELECT id FROM entries e WHERE id IN (SELECT value FROM json_each(?))
         AND NOT EXISTS (SELECT 1 FROM exceptions WHERE id = e.id AND state <> 'unclaimed')
         AND NOT EXISTS (
           SELECT 1 FROM destinations d CROSS JOIN queue q
           WHERE d.org = e.org AND q.org = d.org AND q.destination = d.number AND q.lane IN (0, 1) AND q.place = e.id
         )`,
      JSON.stringify(ids),
    )
    return rows.map(({ id }) => id as number)
  },
  ageTimeBuckets,
}

function ageTimeBuckets(db: Database, { minutesBefore, hoursBefore }: Limits): void {
  const old = 'at % 3600000 <> 0 AND at < ?'
  db.run(
    `INSERT INTO time_buckets (org, at, destination, type, outcome, reason, count)
       SELECT org, at - at % 3600000, destination, type, outcome, reason, sum(count) FROM time_buckets
       WHERE ${old} GROUP BY 1, 2, 3, 4, 5, 6
     ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
    minutesBefore,
  )
  db.run(`DELETE FROM time_buckets WHERE ${old}`, minutesBefore)
  // From one account to the next in the index, so that this looks at what it removes only.
  db.run(
    `WITH RECURSIVE o (org) AS (
       SELECT min(org) FROM time_buckets
       UNION ALL SELECT (SELECT min(org) FROM time_buckets WHERE org > o.org) FROM o WHERE o.org IS NOT NULL
     ) DELETE FROM time_buckets WHERE org IN (SELECT org FROM o WHERE org IS NOT NULL) AND at < ?`,
    hoursBefore,
  )
}
