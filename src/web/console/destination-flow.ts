/** Whether events go to a destination as they come: Home's word, Connection's badges and a destination's own page all follow from this. */
import { type Destination, firstOf } from '../../accounts/destinations.ts'
import { holdOf } from '../../accounts/state.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { type Rights, todoOf } from './remedies.ts'
import type { DestinationFacts, Facts } from './status-facts.ts'
import { adviceAt } from './ui/advice-at.ts'

/**
 * `held`: the account or a person keeps its events. `refused`: it refuses them. `late`: the oldest that waits is over a
 * minute old, with the last error as `reason` where attempts fail. `off`: every event type is disabled.
 */
export type Flow = (
  | { is: 'held' | 'refused'; reason: string }
  | { is: 'late'; reason: string | undefined }
  | { is: 'off' | 'sending'; reason?: undefined }
) & { lane?: LaneShown | undefined }

const delayedMs = 60_000

export function isLate(oldestAt: number | undefined, now: number): boolean {
  return oldestAt !== undefined && now - oldestAt > delayedMs
}

/** What is known of a destination; undefined where nothing was gathered of it. */
export function knownAt(facts: Facts, number: number): DestinationFacts | undefined {
  const { install, others } = facts
  return !install || firstOf(install).number === number ? facts : others?.get(number)
}

/** Of a destination of the account that the facts are of. */
export function flowOf(facts: Facts, { number, reason }: Destination): Flow {
  const { install, lanes, now, isAllOff } = facts
  const hold = install && holdOf(install, number)
  if (hold !== undefined) return { is: 'held', reason: hold }
  const lane = lanes.find((one) => one.lane === 'send' && one.destination === number)
  const refusal = lane?.blocked ?? reason
  if (refusal !== undefined) return { is: 'refused', reason: refusal, lane }
  const { queued = 0, blocked = 0, oldestAt } = knownAt(facts, number) ?? {}
  if (queued + blocked > 0 && isLate(oldestAt, now))
    return { is: 'late', reason: lane && lane.failures > 0 ? lane.lastError : undefined, lane }
  return { is: isAllOff ? 'off' : 'sending', lane }
}

/** Why its events are not sent as they come, and what to do; undefined where they are, or where it is so for all destinations. */
export function haltSaid(
  flow: Flow,
  rights: Rights,
  endpoint: string | undefined,
): { short: string; says: string } | undefined {
  if (flow.is === 'off' || flow.is === 'sending') return undefined
  const { is, reason } = flow
  if (reason === undefined)
    return {
      short: 'Events wait longer than usual',
      says: 'More have come than could be sent at once. No action needed.',
    }
  const { short, happened, todo } = adviceAt(reason, endpoint)
  if (is === 'late') return { short, says: `${happened} Events are kept and sent again by themselves. ${todo}` }
  return { short, says: `${happened} ${todoOf(reason, rights, endpoint)}` }
}

/** When a lane is tried again by itself, if that is still to come. */
export function nextOf(lane: LaneShown | undefined, now: number): number | undefined {
  return lane?.readyAt !== undefined && lane.readyAt > now ? lane.readyAt : undefined
}
