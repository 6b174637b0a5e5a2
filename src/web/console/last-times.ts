/** When something last came and was last delivered: of what is kept to the second, of what was erased since by how it is counted. */
import type { Destination } from '../../storage/ports/entry.ts'
import type { Snapshot, TimeBucket } from '../../storage/ports/lookup.ts'

/**
 * `counted`: all that is counted by time. What was erased is counted still: its minute, or later its hour, is named where no
 * delivery after that is kept.
 */
export function lastDeliveredAt(
  { lastDelivered }: Pick<Snapshot, 'lastDelivered'>,
  counted: readonly TimeBucket[],
  main: Destination,
): number | undefined {
  const kept = lastDelivered.find(({ destination }) => destination === main)?.at
  return latest(
    kept,
    lastIn(counted, ({ outcome, destination }) => outcome === 'delivered' && destination === main),
  )
}

/** When Drift last sent something that is kept: not what was brought in, nor before what was erased since. */
export function lastReceivedAt(
  { lastReceivedAt: kept }: Pick<Snapshot, 'lastReceivedAt'>,
  counted: readonly TimeBucket[],
): number | undefined {
  const received = lastIn(counted, ({ outcome }) => outcome === 'received')
  const broughtIn = lastIn(counted, ({ outcome }) => outcome === 'backfilled')
  // The event kept last may be one that was brought in.
  return broughtIn === undefined || (received ?? 0) > broughtIn ? latest(kept, received) : received
}

function lastIn(counted: readonly TimeBucket[], which: (one: TimeBucket) => boolean): number | undefined {
  return counted.findLast(which)?.at
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
