import type { Moment, Outcome } from '../ports.ts'
import type { Database } from './database.ts'

const minuteMs = 60_000

/** Adds to what was counted since the beginning; part of the transaction that makes it true. */
export function count(db: Database, org: string, type: string, outcome: Outcome, by: number, reason = ''): void {
  db.run(
    `INSERT INTO counts (org, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (org, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
    org,
    type,
    outcome,
    reason,
    by,
  )
}

/** Collects counts of one transaction, so that five hundred entries of one type cost one write. */
export function tally() {
  const sums = new Map<string, { org: string; type: string; outcome: Outcome; reason: string; by: number }>()
  const moments = new Map<string, Omit<Moment, 'reason'> & { org: string; reason: string }>()
  return {
    add(org: string, type: string, outcome: Outcome, by = 1, reason = '') {
      const key = `${outcome} ${reason} ${org} ${type}`
      const sum = sums.get(key)
      if (sum) sum.by += by
      else sums.set(key, { org, type, outcome, reason, by })
    },
    /** For the charts: what happened when. */
    note(org: string, type: string, outcome: Moment['outcome'], time: number, reason = '') {
      const at = time - (time % minuteMs)
      const key = `${outcome} ${reason} ${org} ${at} ${type}`
      const moment = moments.get(key)
      if (moment) moment.count++
      else moments.set(key, { org, at, type, outcome, reason, count: 1 })
    },
    write(db: Database) {
      for (const { org, type, outcome, by, reason } of sums.values()) count(db, org, type, outcome, by, reason)
      for (const { org, at, type, outcome, reason, count: by } of moments.values()) {
        db.run(
          `INSERT INTO moments (org, at, type, outcome, reason, count) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (org, at, type, outcome, reason) DO UPDATE SET count = count + excluded.count`,
          org,
          at,
          type,
          outcome,
          reason,
          by,
        )
      }
    },
  }
}
