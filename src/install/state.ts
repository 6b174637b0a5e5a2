/**
 * An account's state, and everything that moves it: each a pure function from the account as it is stored to the account
 * as it is to be; undefined where nothing changes. docs/states.md says the same in a drawing.
 *
 * An account has one reason at a time. That Drift has said "disconnected" outranks every other: what goes wrong meanwhile
 * at Segment or Drift is found again by sending, and while it lasts nothing is sent.
 */
import type { Install } from '../storage/ports.ts'

/** Its reason while Drift is asked whether the account has really disconnected. */
export const leaving = 'disconnecting'

/** Its reason when Drift cannot be asked, or gave no clear answer for a day: a person resumes or disconnects it. */
export const unproven = 'disconnect_unproven'

/** Drift said that it disconnected, and neither Drift nor a person has yet said whether that is so. */
export function isLeaving({ reason }: Install): boolean {
  return reason === leaving || reason === unproven
}

/** What holds back an account's events, if anything; shown as their reason. */
export function holdOf(install: Install): string | undefined {
  if (install.state === 'disconnected') return 'disconnected'
  if (isLeaving(install)) return install.reason
  if (!install.writeKey) return 'no_write_key'
  return install.state === 'paused' ? 'paused' : undefined
}

/** What people are shown as its state: an account that may be leaving sends no more than a paused one. */
export function stateShown(install: Install): Install['state'] {
  return install.state !== 'disconnected' && isLeaving(install) ? 'paused' : install.state
}

/** Drift said that it disconnected: nothing is sent until it is known whether that is so. */
export function questioned(install: Install): Install | undefined {
  const isThere = install.generation > 0 && install.state !== 'disconnected'
  return isThere && install.reason !== leaving ? { ...install, reason: leaving } : undefined
}

/** Nobody but a person can say whether it has left. */
export function doubted(install: Install): Install | undefined {
  return install.reason === leaving ? { ...install, reason: unproven } : undefined
}

/** It has not left. What Segment or Drift refused before, if anything, is found again by sending. */
export function confirmed(install: Install): Install | undefined {
  if (!isLeaving(install)) return undefined
  const { reason: _, ...rest } = install
  return { ...rest, state: rest.state === 'needs_attention' ? 'live' : rest.state }
}

/**
 * As the settings or the command line want it, with what they name put in already. A new grant ends what was said of the
 * one before it, as connecting again does; without one, whether the account has left stays open. A pause stays.
 */
export function configured({ reason, ...install }: Install, isNewGrant: boolean): Install {
  const state = install.state === 'paused' ? 'paused' : install.writeKey ? 'live' : 'waiting_for_key'
  const stays = reason !== undefined && isLeaving({ ...install, reason }) && !isNewGrant
  return { ...install, state, ...(stays ? { reason } : {}) }
}

/** It has left: its secrets go with it. */
export function gone(install: Install): Install | undefined {
  if (install.generation === 0 || install.state === 'disconnected') return undefined
  const { grant: _g, writeKey: _w, refreshAt: _r, reason: _why, ...rest } = install
  return { ...rest, state: 'disconnected' }
}

/** Drift refuses to renew its grant, which is not kept alive any more. A pause stays, and so does a question to Drift. */
export function grantDied({ refreshAt: _, ...install }: Install): Install {
  const shows = (install.state === 'live' || install.state === 'needs_attention') && !isLeaving(install)
  return shows ? { ...install, state: 'needs_attention', reason: 'grant_dead' } : install
}

/** A new pair ends what was said of the one before. */
export function grantRenewed(install: Install): Install {
  if (install.state !== 'needs_attention' || install.reason !== 'grant_dead') return install
  const { reason: _, ...rest } = install
  return { ...rest, state: 'live' }
}
