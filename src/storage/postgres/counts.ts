/** What is counted: since the beginning, and by the minute. Part of the transaction that makes it true. */
import type { Destination, Org, Outcome } from '../ports/entry.ts'
import type { TimeBucket } from '../ports/lookup.ts'
import { prepared, type Session } from './database.ts'

interface Counted<Kind> {
  org: Org
  /** The account's own when absent. */
  destination?: Destination
  type: string
  outcome: Kind
  reason?: string
}

type Sum<Kind> = Required<Counted<Kind>> & { by: number }

/** Collects what one transaction counts, so that five hundred entries of one type cost one write. */
export function tally() {
  const outcomes = new Map<string, Sum<Outcome>>()
  const timeBuckets = new Map<string, Sum<TimeBucket['outcome']> & { at: number }>()
  return {
    add({ org, destination = 0, type, outcome, reason = '' }: Counted<Outcome>, by = 1) {
      const key = `${org} ${destination} ${type} ${outcome} ${reason}`
      const sum = outcomes.get(key)
      if (sum) sum.by += by
      else outcomes.set(key, { org, destination, type, outcome, reason, by })
    },
    /** For the charts: what happened when. */
    note({ org, destination = 0, type, outcome, reason = '' }: Counted<TimeBucket['outcome']>, at: number) {
      const key = `${org} ${at} ${destination} ${type} ${outcome} ${reason}`
      const bucket = timeBuckets.get(key)
      if (bucket) bucket.by++
      else timeBuckets.set(key, { org, at, destination, type, outcome, reason, by: 1 })
    },
    counted: () => [...outcomes.values()],
    noted: () => [...timeBuckets.values()],
    /** The last thing of a transaction: its rows are those that most others wait for. */
    async write(session: Session) {
      if (outcomes.size + timeBuckets.size === 0) return
      await session.all(
        counting,
        ...columns([...outcomes.values()], ['org', 'destination', 'type', 'outcome', 'reason', 'by']),
        ...columns([...timeBuckets.values()], ['org', 'at', 'destination', 'type', 'outcome', 'reason', 'by']),
      )
    },
  }
}

const counting = prepared(`SELECT count_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`)

/** Rows as columns: one array a column, which unnest makes rows of again. */
export function columns<Value extends object>(rows: readonly Value[], names: readonly (keyof Value)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name] ?? null))
}
