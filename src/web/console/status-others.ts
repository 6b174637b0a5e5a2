/** What Home's sentence adds where an account has several destinations: it is true of each of them. */
import { type Destination, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { holdOf } from '../../accounts/state.ts'
import { flowOf } from './destination-flow.ts'
import { addressOf } from './query.ts'
import type { DestinationFacts, Facts, Status } from './status-facts.ts'
import { viewDestinations } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import { counted } from './ui/parts.ts'

/** One that nothing is sent to, or late, and why. */
interface Halted {
  name: string
  endpoint: string | undefined
  reason: string | undefined
}

type Other = Destination & { facts: DestinationFacts | undefined }

/** The status with every destination named that it does not speak of: where it says that all is well, they are what it is about. */
export function withOthers(status: Status, facts: Facts): Status {
  const { install } = facts
  if (!install || destinationsOf(install).length === 1) return status
  const halted = haltedOf(facts)
  const late = holdOf(install) === undefined ? lateOf(facts) : []
  const named = [...halted.map(haltedSaid), ...late.map(lateSaid)].join(' ')
  if (status.word !== 'Working') return named === '' ? status : { ...status, says: `${status.says} ${named}` }
  // What went wrong with single events is said behind what keeps all of a destination's.
  const wrong = status.level === 'warn' ? ` ${status.title}.` : ''
  if (halted.length > 0) {
    const isRefused = halted.some(({ reason }) => reason !== 'paused')
    return {
      ...status,
      level: isRefused ? 'bad' : 'warn',
      title: `Nothing is sent to ${namesOf(halted)}`,
      says: `${named} What comes in is sent to the other destinations.${wrong}`,
      action: viewDestinations,
    }
  }
  if (late.length > 0)
    return {
      ...status,
      level: 'warn',
      title: `Events to ${namesOf(late)} are delayed`,
      says: `${named}${wrong}`,
      action: viewDestinations,
    }
  if (wrong !== '') return status
  return failedElsewhere(status, facts) ?? unprovenElsewhere(status, facts)
}

function namesOf(some: readonly { name: string }[]): string {
  return some.map(({ name }) => name).join(', ')
}

function haltedSaid({ name, endpoint, reason }: Halted): string {
  return `${name}: ${adviceAt(reason!, endpoint).short}. Its events are kept.`
}

function lateSaid({ name, endpoint, reason }: Halted): string {
  const why =
    reason === undefined ? 'Events wait longer than usual' : adviceAt(reason, endpoint).happened.replace(/\.$/, '')
  return `${name}: ${why}. Its events are kept and sent by themselves.`
}

/** Events failed at another one, and nothing is wrong with the first. */
function failedElsewhere(status: Status, facts: Facts): Status | undefined {
  const some = othersOf(facts).filter((one) => (one.facts?.wrong.failed ?? 0) > 0)
  const [first] = some
  if (!first) return undefined
  const parts = some.map(({ name, facts: known }) => `${counted(known!.wrong.failed, 'event')} failed at ${name}`)
  const to = addressOf('/console/events', {}, { state: 'failed', destination: String(first.number) })
  return {
    ...status,
    level: 'warn',
    title: `Action needed: ${parts.join(', ')}`,
    says: 'The others were accepted. Open an event to see why it was not, and whether resending helps.',
    action: { by: 'link', to, label: 'View failed events' },
  }
}

/** All is well as far as it is known: of which destinations it is known. */
function unprovenElsewhere(status: Status, facts: Facts): Status {
  // Of the first one it is not known either.
  if (status.level !== 'good') return status
  const others = othersOf(facts)
  const idle = others.filter((one) => one.facts?.everDelivered === false)
  const unseen = others.filter((one) => one.facts?.everDelivered !== false && one.facts?.isConfirmed === false)
  const none = idle.length === 0 ? '' : `${namesOf(idle)}: no event has been delivered there yet.`
  if (unseen.length > 0)
    return {
      ...status,
      level: 'info',
      title: `Not yet confirmed: ${namesOf(unseen)}`,
      says: `Events are accepted there. Send a test event under Connection, and look whether it arrives. ${none}`.trim(),
      action: viewDestinations,
    }
  if (idle.length > 0) return { ...status, says: none, action: viewDestinations }
  return { ...status, title: 'Events reach every destination' }
}

function othersOf({ install, others }: Facts): Other[] {
  const [, ...rest] = install ? destinationsOf(install) : []
  return rest.map((one) => ({ ...one, facts: others?.get(one.number) }))
}

/** Of an account that is held as a whole, or whose every destination is, the status speaks already; and of what the first is refused. */
function haltedOf(facts: Facts): Halted[] {
  const { install } = facts
  if (!install || holdOf(install) !== undefined) return []
  const first = firstOf(install).number
  return destinationsOf(install).flatMap((one) => {
    const flow = flowOf(facts, one)
    const isNamed = flow.is === 'held' || (flow.is === 'refused' && one.number !== first)
    return isNamed ? [{ name: one.name, endpoint: one.endpoint, reason: flow.reason }] : []
  })
}

/** Others whose oldest event has waited for too long, and why the last attempt there failed, if it did. */
function lateOf(facts: Facts): Halted[] {
  return othersOf(facts).flatMap((one) => {
    const flow = flowOf(facts, one)
    return flow.is === 'late' ? [{ name: one.name, endpoint: one.endpoint, reason: flow.reason }] : []
  })
}
