/** The numbers of Home, all from one snapshot of the store, so that they add up whatever happens meanwhile. */
import { deletionType, disconnectType } from '../../drift/envelope.ts'
import type { Destination } from '../../storage/ports/entry.ts'
import type { LaneShown, Period, Snapshot, TimeBucket } from '../../storage/ports/lookup.ts'
import { isFinal } from './ui/reasons.ts'
import { type Word, wordOf } from './ui/vocabulary.ts'

/**
 * Where the events are now that were received in a time, or brought in: read from Drift's history. Together these two are the
 * sum of all others.
 */
export type Pipeline = Readonly<Record<'received' | 'broughtIn' | PipelineWord, number>>
/** `notGiven`: what a destination that was added later never had, of which no more is counted. */
export type PipelineWord = Exclude<Word, 'lookingUp'> | 'notGiven'

/** Events that wait or went wrong for one reason, whenever they were received. */
export interface ProblemGroup {
  word: Word
  reason: string
  count: number
  firstAt: number
  lastAt?: number
}

/** What waits now, whenever it was received. */
export interface Backlog {
  queued: number
  blocked: number
  lookingUp: number
  oldestAt?: number
  oldestLookupAt?: number
}

/** Whose figures are shown. */
export function mainDestination({ destinations }: Pick<Snapshot, 'destinations'>): Destination {
  return destinations[0] ?? 1
}

/** Which destination is looked at, and since when. */
export interface Looks {
  main?: Destination
  from?: number
}

/**
 * `endsNow`: the time reaches to now, so what was delivered of it was delivered in it. What is then neither there nor
 * delivered was erased before it could be sent or, at a destination that was added since the time began, never given to it.
 */
export function pipelineOf(
  snapshot: Snapshot,
  lanes: readonly LaneShown[],
  endsNow: boolean,
  { main = mainDestination(snapshot), from }: Looks = {},
): Pipeline {
  const count: Record<keyof Pipeline, number> = { ...nothing }
  let [ignoredLater, deliveredSince] = [0, 0]
  for (const bucket of snapshot.timeBuckets) {
    if (bucket.outcome === 'received') count.received += bucket.count
    else if (bucket.outcome === 'backfilled') count.broughtIn += bucket.count
    else if (isIgnoredAtOnce(bucket)) {
      count.received += bucket.count
      count.ignored += bucket.count
    } else if (bucket.outcome === 'ignored' && (bucket.destination === main || bucket.destination === 0))
      ignoredLater += bucket.count
    else if (bucket.outcome === 'delivered' && bucket.destination === main) deliveredSince += bucket.count
  }
  let rest = count.received + count.broughtIn - count.ignored
  let uncounted: PipelineWord | undefined
  for (const { destination, state, reason, count: many, isCut } of snapshot.open) {
    if (destination !== main && destination !== 0) continue
    const word = pipelineWord(state, reason, lanes, main)
    if (isCut) uncounted = word
    // Its ends are not as sharp as the minutes that received ones are counted by.
    const some = Math.min(many, rest)
    count[word] += some
    rest -= some
  }
  const ignored = Math.min(ignoredLater, rest)
  count.ignored += ignored
  if (uncounted) {
    // Events are sent in the order in which they came: where very many from before this time wait, so does all of it.
    count.delivered = endsNow ? 0 : Math.min(rest - ignored, deliveredSince)
    count[uncounted] += rest - ignored - count.delivered
    return count
  }
  const isLater = main > 1 && from !== undefined && beganAt(snapshot, main) > from
  count.delivered = endsNow || isLater ? Math.min(rest - ignored, deliveredSince) : rest - ignored
  count[isLater ? 'notGiven' : 'expired'] = rest - ignored - count.delivered
  return count
}

/** When the first event was received that a destination was meant to have. */
function beganAt({ began }: Snapshot, main: Destination): number {
  return began.find(({ destination }) => destination === main)?.at ?? Number.POSITIVE_INFINITY
}

const nothing: Pipeline = {
  received: 0,
  broughtIn: 0,
  ignored: 0,
  queued: 0,
  blocked: 0,
  notRecognized: 0,
  deletion: 0,
  failed: 0,
  expired: 0,
  notGiven: 0,
  delivered: 0,
}

/** What Drift is asked about is queued, too: it will be sent when the answer comes. */
function pipelineWord(
  state: Snapshot['open'][number]['state'],
  reason: string | undefined,
  lanes: readonly LaneShown[],
  main: Destination,
): PipelineWord {
  const word = wordOf({ state, ...(reason === undefined ? {} : { reason }) })
  if (state !== 'waiting' && state !== 'asking') return word as PipelineWord
  const lane = lanes.find((one) =>
    state === 'asking' ? one.lane === 'ask' : one.lane === 'send' && one.destination === main,
  )
  return (lane?.hold ?? lane?.blocked) === undefined ? 'queued' : 'blocked'
}

/** Counted when it came, and never kept. */
function isIgnoredAtOnce({ outcome, destination, type }: TimeBucket): boolean {
  return outcome === 'ignored' && destination === 0 && type !== disconnectType
}

/** What Drift sent by type and step of time, so nothing that was brought in: the sum of all is the pipeline's `received`. */
export interface Received {
  from: number
  stepMs: number
  steps: number
  /** Most first. */
  series: { type: string; counts: number[]; sum: number }[]
  total: number
}

export function receivedOf(timeBuckets: readonly TimeBucket[], { from, to }: Period, stepMs: number): Received {
  const steps = Math.ceil((to - from) / stepMs)
  const byType = new Map<string, Received['series'][number]>()
  let total = 0
  for (const bucket of timeBuckets) {
    if (bucket.outcome !== 'received' && !isIgnoredAtOnce(bucket)) continue
    const { type } = bucket
    const one = byType.get(type) ?? { type, counts: new Array<number>(steps).fill(0), sum: 0 }
    byType.set(type, one)
    one.counts[Math.min(Math.floor((bucket.at - from) / stepMs), steps - 1)]! += bucket.count
    one.sum += bucket.count
    total += bucket.count
  }
  const series = [...byType.values()].sort((one, other) => other.sum - one.sum || (one.type < other.type ? -1 : 1))
  return { from, stepMs, steps, series, total }
}

/** What waits for a destination, and what is looked up in Drift for all of them. */
export function backlogOf(snapshot: Snapshot, main = mainDestination(snapshot)): Backlog {
  const backlog: Backlog = { queued: 0, blocked: 0, lookingUp: 0 }
  for (const { destination, state, reason, count, oldestReceivedAt } of snapshot.backlog) {
    const isSent = state === 'waiting' && destination === main
    if (!isSent && state !== 'asking') continue
    const word = wordOf({ state, ...(reason === undefined ? {} : { reason }) })
    backlog[word as 'queued' | 'blocked' | 'lookingUp'] += count
    const oldest = isSent ? 'oldestAt' : 'oldestLookupAt'
    backlog[oldest] = Math.min(backlog[oldest] ?? oldestReceivedAt, oldestReceivedAt)
  }
  return backlog
}

/** How many of each went wrong that a person can do something about, if the newest of them was received since then. */
export function wrongSince(
  snapshot: Snapshot,
  since: number,
  main = mainDestination(snapshot),
): { failed: number; notRecognized: number } {
  const wrong = { failed: 0, notRecognized: 0 }
  for (const { word, reason, count, lastAt = 0 } of problemsOf(snapshot, main))
    if ((word === 'failed' || word === 'notRecognized') && lastAt >= since && !isFinal(reason)) wrong[word] += count
  return wrong
}

/** Requests for deletion that a person has not handled yet. */
export function requestsIn({ backlog }: Pick<Snapshot, 'backlog'>): number {
  return backlog
    .filter(({ state, reason }) => state === 'quarantined' && reason === deletionType)
    .reduce((sum, { count }) => sum + count, 0)
}

/** What needs attention, most of it first; requests for deletion have a page of their own. */
export function problemsOf(snapshot: Snapshot, main = mainDestination(snapshot)): ProblemGroup[] {
  return snapshot.backlog
    .filter(({ destination, state }) => (destination === main || destination === 0) && state !== 'unclaimed')
    .flatMap(({ state, reason, count, oldestReceivedAt, newestReceivedAt }): ProblemGroup[] => {
      if (reason === undefined || reason === deletionType) return []
      const last = newestReceivedAt === undefined ? {} : { lastAt: newestReceivedAt }
      return [{ word: wordOf({ state, reason }), reason, count, firstAt: oldestReceivedAt, ...last }]
    })
    .sort((one, other) => other.count - one.count)
}

/** Of what has come to an end well or badly, so much well; undefined where nothing has. */
export function successRate({
  delivered,
  failed,
  notRecognized,
}: Pick<Pipeline, 'delivered' | 'failed' | 'notRecognized'>): number | undefined {
  const ended = delivered + failed + notRecognized
  return ended === 0 ? undefined : delivered / ended
}

/** How long at most that share of the latest deliveries to a destination took: of each event the first one. */
export function deliveryTime(
  snapshot: Pick<Snapshot, 'deliveries' | 'destinations'>,
  share: number,
  main = mainDestination(snapshot),
): number | undefined {
  const there = snapshot.deliveries.filter(({ destination }) => destination === main)
  const times = there.map(({ receivedAt, settledAt }) => Math.max(settledAt - receivedAt, 0)).sort((a, b) => a - b)
  return times[Math.max(Math.ceil(times.length * share) - 1, 0)]
}
