/** What was only counted, and why: for "why did X not arrive" where nothing is kept that could be found. */
import { otherTypes } from '../pipeline/receive.ts'
import type { IgnoredReason, Org } from '../storage/ports/entry.ts'
import type { Ledger, Total } from '../storage/ports/lookup.ts'

export interface Ignored {
  type: string
  reason: IgnoredReason
  count: number
}

/** Since the beginning, of all accounts together, most first. */
export function ignoredIn(totals: readonly Total[]): Ignored[] {
  const ignored = totals.filter(({ outcome }) => outcome === 'ignored')
  return merged(ignored.map(({ type, reason, count }) => ({ type, reason: reason!, count })))
}

/** `lastAt`: the minute in which it last happened begins then; the hour, where that is longer ago than three hours. */
type Recently<Counted> = Counted & { lastAt: number }

export interface RecentlyIgnored {
  ignored: Recently<Ignored>[]
  duplicates: Recently<Omit<Ignored, 'reason'>>[]
}

/** Of one account in this time, most first; of one type alone where it is named, or of those that are counted with it. */
export async function recentlyIgnored(
  { timeBuckets }: Pick<Ledger, 'timeBuckets'>,
  org: Org,
  { from, to, type, isKnown }: { from: number; to: number; type?: string | undefined; isKnown(type: string): boolean },
): Promise<RecentlyIgnored> {
  const countedAs = type === undefined || isKnown(type) ? [type] : [type, otherTypes]
  // What is counted by the hour stands at its beginning.
  const found = (await timeBuckets(org, from - (from % hourMs), to)).filter(
    (bucket) => type === undefined || countedAs.includes(bucket.type),
  )
  const of = (outcome: string) => found.filter((bucket) => bucket.outcome === outcome)
  return {
    ignored: merged(
      of('ignored').map((one) => ({ type: one.type, reason: one.reason!, count: one.count, lastAt: one.at })),
    ),
    duplicates: merged(of('duplicate').map((one) => ({ type: one.type, count: one.count, lastAt: one.at }))),
  }
}

const hourMs = 3_600_000

interface Counted {
  type: string
  reason?: IgnoredReason
  count: number
  lastAt?: number
}

/** One row for each type and reason. */
function merged<Row extends Counted>(rows: readonly Row[]): Row[] {
  const outcomes = new Map<string, Row>()
  for (const row of rows) {
    const key = `${row.type} ${row.reason}`
    const sum = outcomes.get(key)
    if (!sum) outcomes.set(key, { ...row })
    else {
      sum.count += row.count
      if (sum.lastAt !== undefined) sum.lastAt = Math.max(sum.lastAt, row.lastAt!)
    }
  }
  const inOrder = [...outcomes].sort(([one, { count }], [other, more]) => more.count - count || (one < other ? -1 : 1))
  return inOrder.map(([, row]) => row)
}
