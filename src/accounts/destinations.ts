/**
 * Where an account's events go: one to ten destinations, each with a key, a region or an endpoint, and a state of its own.
 * Reading them, and pure changes of them; what people do to them is in destination-actions.ts.
 */
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber } from '../storage/ports/entry.ts'
import { changeSettings, type DestinationSettings, settingsOf } from './settings.ts'

export type Destination = DestinationSettings

export type DestinationState = 'waiting_for_key' | 'live' | 'paused' | 'needs_attention'

type Configured = Pick<Install, 'org' | 'settings' | 'unreadable'>

/** In the order of their numbers, one at least. */
export function destinationsOf(install: Configured): readonly Destination[] {
  return settingsOf(install).destinations
}

/** The one that speaks for an account that has a single one: what names no destination means this one. */
export function firstOf(install: Configured): Destination {
  return destinationsOf(install)[0]!
}

export function destinationOf(install: Configured, number: DestinationNumber): Destination | undefined {
  return destinationsOf(install).find((one) => one.number === number)
}

/**
 * What stands in Segment's place there: an endpoint by its name. Of a destination that was removed it is not known any more
 * what it was, and it is called so. Undefined: Segment, or no destination is meant (0).
 */
export function endpointOf(install: Configured | undefined, number: DestinationNumber): string | undefined {
  if (!install || number === 0) return undefined
  const destination = destinationOf(install, number)
  return destination ? destination.endpoint : 'the destination'
}

/** Without what keeps it from sending besides: see `holdOf` in state.ts. */
export function destinationState({ key, paused, reason }: Destination): DestinationState {
  if (paused) return 'paused'
  if (key === undefined) return 'waiting_for_key'
  return reason === undefined ? 'live' : 'needs_attention'
}

/** The account with this one changed: undefined takes a field away. */
export function changeDestination<Changed extends Configured>(
  install: Changed,
  number: DestinationNumber,
  change: { [Field in keyof Destination]?: Destination[Field] | undefined },
): Changed {
  const destinations = destinationsOf(install).map((one) => (one.number === number ? changed(one, change) : one))
  return changeSettings(install, { destinations })
}

/** The same of each of them. */
export function changeDestinations<Changed extends Configured>(
  install: Changed,
  to: (destination: Destination) => { [Field in keyof Destination]?: Destination[Field] | undefined },
): Changed {
  return changeSettings(install, { destinations: destinationsOf(install).map((one) => changed(one, to(one))) })
}

function changed(one: Destination, change: object): Destination {
  const entries = Object.entries({ ...one, ...change }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Destination
}

/** An account has left: its first one is there still, and nothing secret with it. */
export function emptied<Changed extends Configured>(install: Changed): Changed {
  const { key: _k, confirmedKey: _c, paused: _p, reason: _r, ...first } = firstOf(install)
  return changeSettings(install, { destinations: [first] })
}

/** Whether what is sent would go elsewhere, or under another key. */
export function goesElsewhere(one: Destination | undefined, other: Destination | undefined): boolean {
  return one?.key !== other?.key || one?.endpoint !== other?.endpoint || one?.region !== other?.region
}

/** The number for another one. */
export function nextNumber(install: Configured): DestinationNumber {
  return settingsOf(install).lastDestination + 1
}

/** What a person calls it by: its name in any case, or its number. */
export function destinationCalled(install: Configured, called: string): Destination | undefined {
  const isMeant = ({ name, number }: Destination) =>
    name.toLowerCase() === called.trim().toLowerCase() || String(number) === called.trim()
  return destinationsOf(install).find(isMeant)
}
