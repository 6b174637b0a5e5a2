/** The input of a backfill and of a comparison. */
import type { Window } from './judge.ts'

export interface HistoryInput extends Window {
  /** Looks and counts, and sends nothing. */
  dryRun: boolean
}

/** `backfill`: sends what no webhook brought, and each contact's attributes. `reconcile`: the former alone, and says why. */
export type HistoryKind = 'backfill' | 'reconcile'

/** In words, such as `2025-05-01 to 2025-06-01`. */
export function span({ from, to }: Window): string {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  return `${from > 0 ? day(from) : 'the beginning'} to ${day(to)}`
}
