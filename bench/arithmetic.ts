/** What the figures of the table are made of. */

/** The middle of the figures, or of the two in the middle their mean; NaN of none. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The smallest figure that so many in a hundred do not exceed (nearest rank); NaN of none. */
export function percentile(figures: readonly number[], percent: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1] ?? Number.NaN
}

/** Several rounds of one measurement. */
export interface Spread {
  median: number
  min: number
  max: number
  rounds: number
}

export function spreadOf(figures: readonly number[]): Spread {
  return {
    median: median(figures),
    min: Math.min(...figures),
    max: Math.max(...figures),
    rounds: figures.length,
  }
}

/** Ours by theirs, round by round: what both met in one round does not count. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((figure, round) => figure / theirs[round]!)
}

/** The list, begun one place further on in each round, so that no contender is always first. */
export function rotated<T>(list: readonly T[], round: number): T[] {
  const from = list.length === 0 ? 0 : round % list.length
  return [...list.slice(from), ...list.slice(0, from)]
}
