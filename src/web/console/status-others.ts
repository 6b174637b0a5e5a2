/** What Home's sentence adds where an account has several destinations, and nothing is sent to some of them. */
import { type Destination, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { holdOf } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import type { Facts, Status } from './status-facts.ts'
import { viewDestinations } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'

/** One that nothing is sent to, and why. */
interface Halted {
  name: string
  endpoint: string | undefined
  reason: string
}

/** The status with every destination named that it does not speak of: where it says that all is well, they are what it is about. */
export function withOthers(status: Status, { install, lanes }: Facts): Status {
  if (!install || destinationsOf(install).length === 1) return status
  const halted = haltedOf(install, lanes)
  if (halted.length === 0) return status
  const names = halted.map(({ name }) => name).join(', ')
  const reasons = halted.map(({ name, endpoint, reason }) => `${name}: ${adviceAt(reason, endpoint).short}.`).join(' ')
  const named = `${reasons} ${halted.length === 1 ? 'Its' : 'Their'} events are kept.`
  if (status.word !== 'Working' || status.level === 'warn') return { ...status, says: `${status.says} ${named}` }
  const isRefused = halted.some(({ reason }) => reason !== 'paused')
  return {
    ...status,
    level: isRefused ? 'bad' : 'warn',
    title: `Nothing is sent to ${names}`,
    says: `${named} What comes in is sent to the other destinations.`,
    action: viewDestinations,
  }
}

/** Of an account that is held as a whole, or whose every destination is, the status speaks already; and of what the first is refused. */
function haltedOf(install: Install, lanes: readonly LaneShown[]): Halted[] {
  if (holdOf(install) !== undefined) return []
  const first = firstOf(install).number
  return destinationsOf(install).flatMap((one) => {
    const reason = holdOf(install, one.number) ?? (one.number === first ? undefined : refusalOf(one, lanes))
    return reason === undefined ? [] : [{ name: one.name, endpoint: one.endpoint, reason }]
  })
}

/** Why a destination refuses what is sent, also where its lane alone shows it. */
export function refusalOf({ number, reason }: Destination, lanes: readonly LaneShown[]): string | undefined {
  return reason ?? lanes.find(({ lane, destination }) => lane === 'send' && destination === number)?.trouble
}
