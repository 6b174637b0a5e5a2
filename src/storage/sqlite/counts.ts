/** What is counted, written with the transaction that makes it true. */
import type { Collected } from '../tally.ts'
import type { Database } from './database.ts'

export function keepCounts(db: Database, counts: Collected): void {
  for (const { org, destination, type, outcome, reason, by } of counts.counted())
    db.run(counting, org, destination, type, outcome, reason, by)
  for (const { org, at, destination, type, outcome, reason, by } of counts.noted())
    db.run(noting, org, at, destination, type, outcome, reason, by)
}

const counting = `INSERT INTO counts (org, destination, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (org, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`

const noting = `INSERT INTO time_buckets (org, at, destination, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`
