/** What is counted: since the beginning, and by the minute. Part of the transaction that makes it true. */
import type { Destination, Org, Outcome } from '../ports/entry.ts'
import type { TimeBucket } from '../ports/lookup.ts'
import type { Database } from './database.ts'

const minuteMs = 60_000

interface Counted<Kind> {
  org: Org
  /** The account's own when absent. */
  destination?: Destination
  type: string
  outcome: Kind
  reason?: string
}

/** Collects counts of one transaction, so that five hundred entries of one type cost one write. */
export function tally() {
  const outcomes = new Map<string, Required<Counted<Outcome>> & { by: number }>()
  const timeBuckets = new Map<string, Required<Counted<TimeBucket['outcome']>> & { at: number; by: number }>()
  return {
    add({ org, destination = 0, type, outcome, reason = '' }: Counted<Outcome>, by = 1) {
      const key = `${outcome} ${reason} ${destination} ${org} ${type}`
      const sum = outcomes.get(key)
      if (sum) sum.by += by
      else outcomes.set(key, { org, destination, type, outcome, reason, by })
    },
    /** For the charts: what happened when. */
    note({ org, destination = 0, type, outcome, reason = '' }: Counted<TimeBucket['outcome']>, time: number) {
      const at = time - (time % minuteMs)
      const key = `${outcome} ${reason} ${destination} ${org} ${at} ${type}`
      const moment = timeBuckets.get(key)
      if (moment) moment.by++
      else timeBuckets.set(key, { org, at, destination, type, outcome, reason, by: 1 })
    },
    write(db: Database) {
      for (const { org, destination, type, outcome, reason, by } of outcomes.values()) {
        if (by === 0) continue
        db.run(
          `INSERT INTO counts (org, destination, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (org, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
          org,
          destination,
          type,
          outcome,
          reason,
          by,
        )
      }
      for (const { org, at, destination, type, outcome, reason, by } of timeBuckets.values()) {
        db.run(
          `INSERT INTO time_buckets (org, at, destination, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (org, at, destination, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
          org,
          at,
          destination,
          type,
          outcome,
          reason,
          by,
        )
      }
    },
  }
}

export type Tally = ReturnType<typeof tally>
