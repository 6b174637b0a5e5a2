/**
 * An account's state, and everything that moves it: each a pure function from the account as it is stored to the account
 * as it is to be; undefined where nothing changes. docs/states.md says the same in a drawing. Which event ends which reason
 * is in needs-attention.ts, and nowhere else.
 *
 * What Drift refuses is the account's own reason, one at a time; what a destination refuses, and a pause, is that
 * destination's. The account's state follows from both. That Drift has said "disconnected" outranks every other: what goes
 * wrong meanwhile is found again by sending, and while it lasts nothing is sent.
 */
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber } from '../storage/ports/entry.ts'
import {
  changeDestination,
  changeDestinations,
  type Destination,
  type DestinationState,
  destinationOf,
  destinationState,
  destinationsOf,
  emptied,
  firstOf,
} from './destinations.ts'
import { type AccountReason, isEndedBy, type Relief } from './needs-attention.ts'
import { withoutSettings } from './settings.ts'

/** Its reason while Drift is asked whether the account has really disconnected. */
export const leaving = 'disconnecting' satisfies AccountReason

/** Its reason when Drift cannot be asked, or gave no clear answer for a day: a person resumes or disconnects it. */
export const unproven = 'disconnect_unproven' satisfies AccountReason

/** Drift said that it disconnected, and neither Drift nor a person has yet said whether that is so. */
export function isLeaving({ reason }: { reason?: string | undefined }): boolean {
  return reason === leaving || reason === unproven
}

/**
 * What holds back the events of one of an account's destinations, if anything; shown as their reason. Without a number: what
 * holds all of them back, the first one's word where each has its own.
 */
export function holdOf(install: Install, number?: DestinationNumber): AccountReason | undefined {
  if (install.state === 'disconnected') return 'disconnected'
  if (isLeaving(install)) return install.reason === leaving ? leaving : unproven
  if (install.notAllowed) return 'not_allowed'
  if (install.unreadable) return 'settings_unreadable'
  if (number !== undefined) {
    const destination = destinationOf(install, number)
    return destination && destinationHold(install, destination)
  }
  const holds = destinationsOf(install).map((one) => destinationHold(install, one))
  return holds.includes(undefined) ? undefined : holds[0]
}

function destinationHold({ unlisted }: Install, { key, paused, endpoint }: Destination): AccountReason | undefined {
  if (key === undefined) return 'no_write_key'
  if (paused) return 'paused'
  // mutant: sends to an endpoint that the settings do not list any more
  return endpoint !== undefined && unlisted?.includes(endpoint) ? 'endpoint_not_allowed' : undefined
}

/** Why it needs attention: what Drift refuses comes before what a destination does. */
export function reasonOf(install: Install): string | undefined {
  return install.reason ?? destinationsOf(install).find(({ reason }) => reason !== undefined)?.reason
}

/** What people are shown as its state: an account that may be leaving sends no more than a paused one. */
export function stateShown(install: Install): Install['state'] {
  const isHeldBack = isLeaving(install) || install.notAllowed || install.unreadable
  return install.state !== 'disconnected' && isHeldBack ? 'paused' : install.state
}

/** It was connected, and has not disconnected. */
export function isThere(install: Install): boolean {
  return install.generation > 0 && install.state !== 'disconnected'
}

/** Drift said that it disconnected: nothing is sent until it is known whether that is so. */
export function questioned(install: Install): Install | undefined {
  return isThere(install) && install.reason !== leaving ? summed({ ...install, reason: leaving }) : undefined
}

/** Only a person can say whether it has left. */
export function doubted(install: Install): Install | undefined {
  return install.reason === leaving ? { ...install, reason: unproven } : undefined
}

/** It has not left. What Segment or Drift refused before, if anything, is found again by sending. */
export function confirmed(install: Install): Install | undefined {
  return isLeaving(install) ? summed(relieved(install, 'drift_answer')) : undefined
}

/**
 * As the settings or the command line want it, with what they name put in already. Without a new grant, whether the
 * account has left stays open. A pause stays, and so does what concerns another destination than the first.
 */
export function configured(install: Install, isNewGrant: boolean): Install {
  const known = relieved(isNewGrant ? relieved(install, 'new_grant') : install, 'configure')
  return begun(relievedAt(known, firstOf(known).number, 'configure'))
}

/** A person wants nothing to be sent. Whether it has left stays open. Undefined where all of it is paused already. */
export function paused(install: Install): Install | undefined {
  if (!isThere(install) || install.state === 'paused') return undefined
  // mutant: forgets at a pause that Drift is asked whether the account has left
  const known = isLeaving(install) ? install : withoutReason(install)
  return summed(changeDestinations(known, () => ({ paused: true, reason: undefined })))
}

/** A person wants it to be sent, everywhere: undefined while Drift is being asked whether it has left. */
export function resumed(install: Install): Install | undefined {
  if (!isThere(install) || !isEndedBy(install.reason, 'resume')) return undefined
  return summed(eachRelieved(withoutReason(install), { paused: undefined, reason: undefined }))
}

/** A person wants nothing to be sent to this destination. */
export function pausedAt(install: Install, number: DestinationNumber): Install | undefined {
  const destination = destinationOf(install, number)
  if (!isThere(install) || !destination || destination.paused) return undefined
  return summed(changeDestination(install, number, { paused: true, reason: undefined }))
}

/** A person wants it to be sent there again: undefined where nothing of its own keeps it from that. */
export function resumedAt(install: Install, number: DestinationNumber): Install | undefined {
  const { paused: isPaused, reason } = destinationOf(install, number) ?? {}
  if (!isThere(install) || (!isPaused && reason === undefined)) return undefined
  return summed(changeDestination(install, number, { paused: undefined, reason: undefined }))
}

/** Drift refuses it or, where one is named, a destination does. */
export function blocked(install: Install, reason: AccountReason, number?: DestinationNumber): Install | undefined {
  if (isLeaving(install)) return undefined
  if (number === undefined) {
    const shows = (install.state === 'live' || install.state === 'needs_attention') && install.reason !== reason
    return shows ? summed({ ...install, state: 'needs_attention', reason }) : undefined
  }
  const destination = isThere(install) ? destinationOf(install, number) : undefined
  if (!destination || destination.reason === reason) return undefined
  const state = destinationState(destination)
  if (state !== 'live' && state !== 'needs_attention') return undefined
  return summed(changeDestination(install, number, { reason }))
}

/** A destination has accepted something or, where none is named, Drift has answered a lookup. */
export function accepted(install: Install, number?: DestinationNumber): Install | undefined {
  if (install.state === 'disconnected' || isLeaving(install)) return undefined
  if (number === undefined) {
    const isOver = install.reason !== undefined && isEndedBy(install.reason, 'lookup')
    return isOver ? summed(withoutReason(install)) : undefined
  }
  const reason = destinationOf(install, number)?.reason
  return reason !== undefined && isEndedBy(reason, 'delivered')
    ? summed(relievedAt(install, number, 'delivered'))
    : undefined
}

/** With another write key or place of this destination, put in already. A pause stays, and so does what Drift refuses or is asked. */
export function keyChanged(install: Install, number: DestinationNumber): Install {
  return summed(relievedAt(install, number, 'new_key'))
}

/** Its admin has allowed the app in Drift, and its new grant is put in already. What Segment refuses stays, and a pause. */
export function connected(install: Install): Install {
  return begun(relieved(install, 'connect'))
}

/** It has left: its secrets go with it. */
export function gone(install: Install): Install | undefined {
  if (!isThere(install)) return undefined
  const { grant: _g, refreshAt: _r, ...rest } = withoutReason(install)
  return { ...(rest.unreadable ? withoutSettings(rest) : emptied(rest)), state: 'disconnected' }
}

/** Drift refuses to renew its grant, which is not kept alive any more. A pause stays, and so does the check at Drift whether it has left. */
export function grantDied({ refreshAt: _, ...install }: Install): Install {
  const shows = (install.state === 'live' || install.state === 'needs_attention') && !isLeaving(install)
  return shows ? summed({ ...install, state: 'needs_attention', reason: 'grant_dead' }) : install
}

/** Drift has renewed its grant, and the new pair is put in already. */
export function grantRenewed(install: Install): Install {
  return install.state === 'needs_attention' && !isLeaving(install)
    ? summed(relieved(install, 'renewed_grant'))
    : install
}

/**
 * The account's state as it follows from its own reason and its destinations. That it has left only a new connection ends; of
 * one whose settings this version cannot read it stays as it was.
 */
export function summed(install: Install): Install {
  const isKnown = install.state !== 'disconnected' && !install.unreadable
  return isKnown ? { ...install, state: sumOf(install) } : install
}

function sumOf(install: Install): Install['state'] {
  const states = destinationsOf(install).map(destinationState)
  const is = (...some: DestinationState[]) => states.every((state) => some.includes(state))
  if (is('paused')) return 'paused'
  if (is('paused', 'waiting_for_key')) return 'waiting_for_key'
  const isRefused = install.reason !== undefined && !isLeaving(install)
  return isRefused || states.includes('needs_attention') ? 'needs_attention' : 'live'
}

/**
 * Its own reason goes if this ends it. When it has not left after all, what a destination refused before goes as well: it is
 * found again by sending.
 */
function relieved(install: Install, relief: Relief): Install {
  if (install.reason === undefined || !isEndedBy(install.reason, relief)) return install
  const known = withoutReason(install)
  return isLeaving(install) ? eachRelieved(known, { reason: undefined }) : known
}

/** Of settings that this version cannot read nothing is changed: what is in them ends when they can be read. */
function eachRelieved(install: Install, change: { paused?: undefined; reason: undefined }): Install {
  return install.unreadable ? install : changeDestinations(install, () => change)
}

/** The same of one destination. */
function relievedAt(install: Install, number: DestinationNumber, relief: Relief): Install {
  const reason = destinationOf(install, number)?.reason
  return reason !== undefined && isEndedBy(reason, relief)
    ? changeDestination(install, number, { reason: undefined })
    : install
}

/** It is connected: what keeps it from sending says its state. */
function begun(install: Install): Install {
  return summed({ ...install, state: install.unreadable && isThere(install) ? install.state : 'live' })
}

function withoutReason({ reason: _, ...rest }: Install): Install {
  return rest
}
