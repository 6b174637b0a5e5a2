import type { Moment, Outcome } from '../ports.ts'
import { prepared, type Session } from './database.ts'

const minuteMs = 60_000

interface Sum {
  org: string
  type: string
  outcome: Outcome | Moment['outcome']
  reason: string
  by: number
}

/** Collects what one transaction counts, so that five hundred entries of one type cost one write. */
export function tally() {
  const sums = new Map<string, Sum>()
  const moments = new Map<string, Sum & { at: number }>()
  return {
    add(org: string, type: string, outcome: Outcome, by = 1, reason = '') {
      const key = `${org} ${type} ${outcome} ${reason}`
      const sum = sums.get(key)
      if (sum) sum.by += by
      else sums.set(key, { org, type, outcome, reason, by })
    },
    /** For the charts: what happened when. */
    note(org: string, type: string, outcome: Moment['outcome'], time: number, reason = '') {
      const at = time - (time % minuteMs)
      const key = `${org} ${at} ${type} ${outcome} ${reason}`
      const moment = moments.get(key)
      if (moment) moment.by++
      else moments.set(key, { org, at, type, outcome, reason, by: 1 })
    },
    /** The last thing of a transaction: its rows are those that most others wait for. */
    async write(session: Session) {
      const counted = inOrder(sums)
      const noted = inOrder(moments)
      if (counted.length + noted.length === 0) return
      const ofCounts = columns(counted, ['org', 'type', 'outcome', 'reason', 'by'])
      await session.run(counting, ...ofCounts, ...columns(noted, ['org', 'at', 'type', 'outcome', 'reason', 'by']))
    },
  }
}

/** First the counts, then what no other part refers to: the moments. */
const counting = prepared(`
WITH noted AS (
  INSERT INTO moments (org, at, type, outcome, reason, count)
  SELECT * FROM unnest($6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[])
  ON CONFLICT (org, at, type, outcome, reason) DO UPDATE SET count = moments.count + excluded.count
)
INSERT INTO counts (org, type, outcome, reason, count)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (org, type, outcome, reason) DO UPDATE SET count = counts.count + excluded.count`)

/** In one order everywhere, so that two transactions do not wait for each other in a circle. */
function inOrder<Value extends Sum>(sums: ReadonlyMap<string, Value>): Value[] {
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, sum]) => (sum.by === 0 ? [] : [sum]))
}

/** Rows as columns: one array a column, which unnest makes rows of again. */
export function columns<Value extends object>(rows: readonly Value[], names: readonly (keyof Value)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name] ?? null))
}
