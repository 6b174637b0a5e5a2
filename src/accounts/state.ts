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
export function isLeaving({ reason }: { reason?: string | undefined }): boolean {
  return reason === leaving || reason === unproven
}

/** What holds back an account's events, if anything; shown as their reason. */
export function holdOf(install: Install): string | undefined {
  if (install.state === 'disconnected') return 'disconnected'
  if (isLeaving(install)) return install.reason
  if (install.notAllowed) return 'not_allowed'
  if (!install.writeKey) return 'no_write_key'
  return install.state === 'paused' ? 'paused' : undefined
}

/** What people are shown as its state: an account that may be leaving sends no more than a paused one. */
export function stateShown(install: Install): Install['state'] {
  return install.state !== 'disconnected' && (isLeaving(install) || install.notAllowed) ? 'paused' : install.state
}

/** It was connected, and has not disconnected. */
export function isThere(install: Install): boolean {
  return install.generation > 0 && install.state !== 'disconnected'
}

/** Drift said that it disconnected: nothing is sent until it is known whether that is so. */
export function questioned(install: Install): Install | undefined {
  return isThere(install) && install.reason !== leaving ? { ...install, reason: leaving } : undefined
}

/** Only a person can say whether it has left. */
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
  const stays = reason !== undefined && isLeaving({ reason }) && !isNewGrant
  return { ...install, state, ...(stays ? { reason } : {}) }
}

/** A person wants nothing to be sent. Whether it has left stays open. */
export function paused(install: Install): Install | undefined {
  if (!isThere(install)) return undefined
  const { reason, ...rest } = install
  return { ...rest, state: 'paused', ...(isLeaving(install) ? { reason: reason! } : {}) }
}

/** A person wants it to be sent, and Drift is not being asked whether it has left. */
export function resumed(install: Install): Install | undefined {
  if (!isThere(install)) return undefined
  const { reason: _, ...rest } = install
  return { ...rest, state: install.writeKey ? 'live' : 'waiting_for_key' }
}

/** Segment or Drift refuses it. */
export function troubled(install: Install, reason: string): Install | undefined {
  const shows = install.state === 'live' || (install.state === 'needs_attention' && install.reason !== reason)
  return shows && !isLeaving(install) ? { ...install, state: 'needs_attention', reason } : undefined
}

/** Something went through: what was refused for one of these reasons is not refused any more. */
export function accepted(install: Install, reasons: RegExp): Install | undefined {
  if (install.state !== 'needs_attention' || isLeaving(install) || !reasons.test(install.reason ?? '')) return undefined
  const { reason: _, ...rest } = install
  return { ...rest, state: 'live' }
}

/** With another write key or region: what Segment refused may be over. A pause, and what Drift refuses or asks, stay. */
export function keyChanged({ reason, ...install }: Install): Install {
  const isDrifts = /^(grant_|drift_)/.test(reason ?? '') || isLeaving({ reason })
  const kept = isDrifts ? { ...install, reason: reason! } : install
  const stays = install.state === 'paused' || (install.state === 'needs_attention' && isDrifts)
  return stays ? kept : { ...kept, state: 'live' }
}

/** Its admin has allowed the app in Drift: that ends what was said of the grant before, and of leaving. */
export function connected({ reason, ...install }: Install): Install {
  const isOver = reason === undefined || isLeaving({ reason }) || /^(grant_|drift_)/.test(reason)
  if (install.state === 'needs_attention' && !isOver) return { ...install, reason }
  if (install.state === 'paused') return install
  return { ...install, state: install.writeKey ? 'live' : 'waiting_for_key' }
}

/** It has left: its secrets go with it. */
export function gone(install: Install): Install | undefined {
  if (!isThere(install)) return undefined
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
