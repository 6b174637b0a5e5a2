/** Where a time lies among the ids, which are nearly in the order of receipt. */
import { perBody, type Range } from '../place.ts'
import type { Database } from './database.ts'

/** Entries below `first` were received before this time, and those from `below` on at it or later. */
export function idsAt(db: Database, org: string | undefined, time: number): Range {
  const next = org === undefined ? 'SELECT id, received_at FROM entries WHERE id >= ?1' : nextOf
  const last = db.get(
    `SELECT max(id) AS id FROM entries${org === undefined ? '' : ' WHERE org = ?1'}`,
    ...(org === undefined ? [] : [org]),
  )
  let first = 0
  let below = Number(last?.id ?? 0) + 1
  while (below - first > perBody) {
    const middle = first + Math.floor((below - first) / 2)
    const row = db.get(`${next} ORDER BY id LIMIT 1`, middle, ...(org === undefined ? [] : [org]))
    if (row && Number(row.received_at) < time) first = Number(row.id) + 1
    else below = middle
  }
  return { first, below }
}

const nextOf = 'SELECT id, received_at FROM entries WHERE id >= ?1 AND org = ?2'
