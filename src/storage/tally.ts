/** What one transaction counts, since the beginning and by the minute: collected, so that five hundred entries cost one write. */
import type { Arrival, Destination, Org, Outcome } from './ports/entry.ts'
import type { TimeBucket } from './ports/lookup.ts'

const minuteMs = 60_000

interface Counted<Kind> {
  org: Org
  /** The account's own when absent. */
  destination?: Destination
  type: string
  outcome: Kind
  reason?: string
}

type Sum<Kind> = Required<Counted<Kind>> & { by: number }
type Noted = Sum<TimeBucket['outcome']> & { at: number }

export interface Collected {
  add(counted: Counted<Outcome>, by?: number): void
  /** For the charts: what happened when. */
  note(counted: Counted<TimeBucket['outcome']>, time: number): void
  /** What has changed since the beginning. */
  counted(): Sum<Outcome>[]
  /** What happened in each minute. */
  noted(): Noted[]
}

export function collected(): Collected {
  const counts = new Map<string, Sum<Outcome>>()
  const buckets = new Map<string, Noted>()
  return {
    add({ org, destination = 0, type, outcome, reason = '' }, by = 1) {
      const key = `${outcome} ${reason} ${destination} ${org} ${type}`
      const sum = counts.get(key)
      if (sum) sum.by += by
      else counts.set(key, { org, destination, type, outcome, reason, by })
    },
    note({ org, destination = 0, type, outcome, reason = '' }, time) {
      const at = time - (time % minuteMs)
      const key = `${outcome} ${reason} ${destination} ${org} ${at} ${type}`
      const bucket = buckets.get(key)
      if (bucket) bucket.by++
      else buckets.set(key, { org, at, destination, type, outcome, reason, by: 1 })
    },
    counted: () => [...counts.values()].filter(({ by }) => by !== 0),
    noted: () => [...buckets.values()],
  }
}

/** Counts what comes, but for what each destination takes over; what became of each is the answer to an append. */
export function countArrivals(counts: Collected, arrivals: readonly Arrival[]): ('stored' | 'duplicate' | 'ignored')[] {
  return arrivals.map((arrival) => {
    const { org, type, state, receivedAt } = arrival
    if (state === 'duplicate') {
      counts.add({ org, type, outcome: 'duplicate' })
      counts.note({ org, type, outcome: 'duplicate' }, receivedAt)
      return 'duplicate'
    }
    if (state === 'ignored') {
      const { reason } = arrival
      counts.add({ org, type, outcome: 'received' })
      counts.add({ org, type, outcome: 'ignored', reason })
      counts.note({ org, type, outcome: 'ignored', reason }, receivedAt)
      return 'ignored'
    }
    // Not installed accounts are counted together: their number is not ours to bound.
    const came = arrival.backfilled ? 'backfilled' : 'received'
    counts.add({ org: state === 'unclaimed' ? '' : org, type, outcome: came })
    counts.note({ org, type, outcome: came }, receivedAt)
    if (state === 'quarantined') counts.note({ org, type, outcome: 'failed' }, receivedAt)
    if (state === 'waiting') counts.add({ org, type, outcome: 'taken' })
    return 'stored'
  })
}
