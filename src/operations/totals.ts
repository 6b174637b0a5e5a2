/**
 * The conservation law, added up: whatever was received, or read at Drift, is delivered, waiting, held, dead, ignored or
 * expired. It holds for each destination since it was added, for what was given to none of them, and so for all together.
 */
import type { Org } from '../storage/ports/entry.ts'
import type { BacklogRow, Total } from '../storage/ports/lookup.ts'

export interface Outcomes {
  /** An event once for each destination that it was given over to, or once where it was given over to none. */
  received: number
  /** Beside what was received: read at Drift, an event once; what further destinations were given of it is among the received. */
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

/** What waits without a reason is waiting; what waits for a reason, is not of an installed account or is unreadable, is held. */
export function outcomesOf(totals: readonly Total[], backlog: readonly BacklogRow[]): Outcomes {
  const counted = (which: (total: Total) => boolean) => totals.filter(which).reduce((sum, { count }) => sum + count, 0)
  const became = (outcome: Total['outcome']) => counted((total) => total.outcome === outcome)
  const kept = (which: (row: BacklogRow) => boolean) => backlog.filter(which).reduce((sum, { count }) => sum + count, 0)
  const isQueued = ({ state }: BacklogRow) => state === 'waiting' || state === 'asking'
  const isTaken = (isAnywhere: boolean) => (total: Total) =>
    total.outcome === 'taken' && (total.destination === 0) === isAnywhere
  return {
    received: became('received') - counted(isTaken(true)) + counted(isTaken(false)),
    backfilled: became('backfilled'),
    delivered: became('delivered'),
    waiting: kept((one) => isQueued(one) && one.reason === undefined),
    held: kept((one) =>
      isQueued(one) ? one.reason !== undefined : one.state === 'unclaimed' || one.state === 'quarantined',
    ),
    dead: became('dead') + kept(({ state }) => state === 'dead'),
    ignored: became('ignored'),
    expired: became('expired'),
    duplicates: became('duplicate'),
  }
}

/** How many webhooks were received, to however many destinations each is given. */
export function eventsIn(totals: readonly Total[]): number {
  return totals.reduce((sum, { outcome, count }) => sum + (outcome === 'received' ? count : 0), 0)
}

/** How many events are kept for a destination that would expire there if it were removed. */
export function waitingFor(
  backlog: readonly Pick<BacklogRow, 'org' | 'destination' | 'state' | 'count'>[],
  org: Org,
  destination: number,
): number {
  return backlog
    .filter((one) => one.org === org && one.destination === destination)
    .reduce((sum, { state, count }) => sum + (state === 'delivered' || state === 'dead' ? 0 : count), 0)
}

/** Of a destination, `received` is all that was given over to it. */
export interface DestinationOutcomes extends Omit<Outcomes, 'duplicates' | 'backfilled'> {
  org: Org
  destination: number
}

/** The same of each destination that was given anything, also of those that are not there any more. */
export function outcomesByDestination(totals: readonly Total[], backlog: readonly BacklogRow[]): DestinationOutcomes[] {
  const placeOf = ({ org, destination }: Total | BacklogRow) => `${destination} ${org}`
  const isDestination = ({ destination }: Total | BacklogRow) => destination > 0
  const counts = Map.groupBy(totals.filter(isDestination), placeOf)
  const there = Map.groupBy(backlog.filter(isDestination), placeOf)
  return [...new Set([...counts.keys(), ...there.keys()])]
    .map((place) => {
      const {
        duplicates: _d,
        backfilled: _b,
        ...outcomes
      } = outcomesOf(counts.get(place) ?? [], there.get(place) ?? [])
      const { org, destination } = (counts.get(place) ?? there.get(place)!)[0]!
      return { org, destination, ...outcomes }
    })
    .sort((one, other) => (one.org === other.org ? one.destination - other.destination : one.org < other.org ? -1 : 1))
}

export function addsUp({
  received,
  backfilled = 0,
  delivered,
  waiting,
  held,
  dead,
  ignored,
  expired,
}: Omit<Outcomes, 'duplicates' | 'backfilled'> & Partial<Pick<Outcomes, 'backfilled'>>): boolean {
  return received + backfilled === delivered + waiting + held + dead + ignored + expired
}
