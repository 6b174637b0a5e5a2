import type { Outcome } from '../ports.ts'
import type { Database } from './database.ts'

/** Adds to what was counted since the beginning; part of the transaction that makes it true. */
export function count(db: Database, org: string, type: string, outcome: Outcome, by: number): void {
  db.run(
    `INSERT INTO counts VALUES (?, ?, ?, ?)
     ON CONFLICT (org, type, outcome) DO UPDATE SET count = count + excluded.count`,
    org,
    type,
    outcome,
    by,
  )
}

/** Collects counts of one transaction, so that five hundred entries of one type cost one write. */
export function tally() {
  const sums = new Map<string, { org: string; type: string; outcome: Outcome; by: number }>()
  return {
    add(org: string, type: string, outcome: Outcome) {
      const key = `${outcome} ${org} ${type}`
      const sum = sums.get(key)
      if (sum) sum.by++
      else sums.set(key, { org, type, outcome, by: 1 })
    },
    write(db: Database) {
      for (const { org, type, outcome, by } of sums.values()) count(db, org, type, outcome, by)
    },
  }
}
