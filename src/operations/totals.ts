/** The conservation law, added up: whatever was received, or read at Drift, is delivered, waiting, held, dead, ignored or expired. */
import type { Standing, Total } from '../storage/ports/lookup.ts'

export interface Sums {
  received: number
  /** Beside what was received: read at Drift. */
  backfilled: number
  delivered: number
  waiting: number
  held: number
  dead: number
  ignored: number
  expired: number
  /** Beside the law: the same event again. */
  duplicates: number
}

/** What waits without a reason is waiting; what waits for a reason, is unclaimed or unreadable, is held. */
export function sumsOf(totals: readonly Total[], standings: readonly Standing[]): Sums {
  const counted = (outcome: Total['outcome']) =>
    totals.filter((total) => total.outcome === outcome).reduce((sum, { count }) => sum + count, 0)
  const standing = (which: (standing: Standing) => boolean) =>
    standings.filter(which).reduce((sum, { count }) => sum + count, 0)
  const inLine = ({ state }: Standing) => state === 'waiting' || state === 'asking'
  return {
    received: counted('received'),
    backfilled: counted('backfilled'),
    delivered: counted('delivered'),
    waiting: standing((one) => inLine(one) && one.reason === undefined),
    held: standing((one) =>
      inLine(one) ? one.reason !== undefined : one.state === 'unclaimed' || one.state === 'quarantined',
    ),
    dead: counted('dead') + standing(({ state }) => state === 'dead'),
    ignored: counted('ignored'),
    expired: counted('expired'),
    duplicates: counted('duplicate'),
  }
}

export function addsUp({ received, backfilled, delivered, waiting, held, dead, ignored, expired }: Sums): boolean {
  return received + backfilled === delivered + waiting + held + dead + ignored + expired
}
