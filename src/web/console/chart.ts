/** The counts of a span of time, put into steps and by event type. */
import type { Org } from '../../storage/ports/entry.ts'
import type { Ledger, Moment } from '../../storage/ports/lookup.ts'

export const outcomes = ['received', 'delivered', 'aside'] as const satisfies readonly Moment['outcome'][]
export type Outcome = (typeof outcomes)[number]

export const spans = ['hour', 'day', 'week'] as const
export type Span = (typeof spans)[number]

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** What is older than three hours is counted by the hour, so a day has steps of an hour and a week of four. */
const sizes: Readonly<Record<Span, { stepMs: number; steps: number }>> = {
  hour: { stepMs: minuteMs, steps: 60 },
  day: { stepMs: hourMs, steps: 24 },
  week: { stepMs: 4 * hourMs, steps: 42 },
}

export interface Chart {
  from: number
  stepMs: number
  steps: number
  /** Most first. */
  series: { type: string; counts: Record<Outcome, number[]>; sums: Record<Outcome, number> }[]
  total: Record<Outcome, number>
}

export async function chartOf(ledger: Pick<Ledger, 'moments'>, org: Org, span: Span, now: number): Promise<Chart> {
  const { stepMs, steps } = sizes[span]
  const until = now - (now % stepMs) + stepMs
  const from = until - steps * stepMs
  return gather(await ledger.moments(org, from, until), { from, stepMs, steps })
}

function isShown(outcome: Moment['outcome']): outcome is Outcome {
  return (outcomes as readonly string[]).includes(outcome)
}

function gather(moments: readonly Moment[], { from, stepMs, steps }: Pick<Chart, 'from' | 'stepMs' | 'steps'>): Chart {
  const byType = new Map<string, Chart['series'][number]>()
  const total = { received: 0, delivered: 0, aside: 0 }
  const empty = () => new Array<number>(steps).fill(0)
  for (const { at, type, outcome, count } of moments) {
    if (!isShown(outcome)) continue
    const one = byType.get(type) ?? {
      type,
      counts: { received: empty(), delivered: empty(), aside: empty() },
      sums: { received: 0, delivered: 0, aside: 0 },
    }
    byType.set(type, one)
    const step = Math.floor((at - from) / stepMs)
    one.counts[outcome][step]! += count
    one.sums[outcome] += count
    total[outcome] += count
  }
  const series = [...byType.values()].sort(
    (one, other) => other.sums.received - one.sums.received || (one.type < other.type ? -1 : 1),
  )
  return { from, stepMs, steps, series, total }
}
