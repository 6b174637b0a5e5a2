/** How many events wait, where they are too many to count them one by one while a person waits for a page. */
import type { Destination } from './ports/entry.ts'
import type { BacklogRow, Total } from './ports/lookup.ts'

/** By what was counted since the beginning: all that a destination was given, and that has not come to an end there. */
export function waitingBy(
  totals: readonly Total[],
  excepted: readonly Pick<BacklogRow, 'destination' | 'state' | 'count'>[],
  destination: Destination,
): number {
  const sum = (rows: readonly { destination: Destination; count: number }[]) =>
    rows.filter((row) => row.destination === destination).reduce((all, { count }) => all + count, 0)
  const given = sum(totals.filter(({ outcome }) => outcome === 'taken'))
  const ended = sum(totals.filter(({ outcome }) => outcome !== 'taken' && outcome !== 'duplicate'))
  return given - ended - sum(excepted)
}
