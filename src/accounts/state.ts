/**
 * An account's state, and everything that moves it: each a pure function from the account as it is stored to the account
 * as it is to be; undefined where nothing changes. docs/states.md says the same in a drawing. Which event ends which reason
 * is in reasons.ts, and nowhere else.
 *
 * An account has one reason at a time. That Drift has said "disconnected" outranks every other: what goes wrong meanwhile
 * at Segment or Drift is found again by sending, and while it lasts nothing is sent.
 */
import type { Install } from '../storage/ports/accounts.ts'
import { type AccountReason, isEndedBy, type Relief } from './needs-attention.ts'

/** Its reason while Drift is asked whether the account has really disconnected. */
export const leaving = 'disconnecting' satisfies AccountReason

/** Its reason when Drift cannot be asked, or gave no clear answer for a day: a person resumes or disconnects it. */
export const unproven = 'disconnect_unproven' satisfies AccountReason

/** Drift said that it disconnected, and neither Drift nor a person has yet said whether that is so. */
export function isLeaving({ reason }: { reason?: string | undefined }): boolean {
  return reason === leaving || reason === unproven
}

/** What holds back an account's events, if anything; shown as their reason. */
export function holdOf(install: Install): AccountReason | undefined {
  if (install.state === 'disconnected') return 'disconnected'
  if (isLeaving(install)) return install.reason === leaving ? leaving : unproven
  if (install.notAllowed) return 'not_allowed'
  if (install.unreadable) return 'settings_unreadable'
  if (!install.writeKey) return 'no_write_key'
  return install.state === 'paused' ? 'paused' : undefined
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
  return isThere(install) && install.reason !== leaving ? { ...install, reason: leaving } : undefined
}

/** Only a person can say whether it has left. */
export function doubted(install: Install): Install | undefined {
  return install.reason === leaving ? { ...install, reason: unproven } : undefined
}

/** It has not left. What Segment or Drift refused before, if anything, is found again by sending. */
export function confirmed(install: Install): Install | undefined {
  return isLeaving(install) ? relieved(install, 'drift_answer') : undefined
}

/**
 * As the settings or the command line want it, with what they name put in already. Without a new grant, whether the
 * account has left stays open. A pause stays.
 */
export function configured(install: Install, isNewGrant: boolean): Install {
  const known = isNewGrant ? relieved(install, 'new_grant') : install
  return begun(relieved(known, 'configure'))
}

/** A person wants nothing to be sent. Whether it has left stays open. Undefined where it is paused already. */
export function paused(install: Install): Install | undefined {
  if (!isThere(install) || install.state === 'paused') return undefined
  // mutant: forgets at a pause that Drift is asked whether the account has left
  return { ...(isLeaving(install) ? install : withoutReason(install)), state: 'paused' }
}

/** A person wants it to be sent: undefined while Drift is being asked whether it has left. */
export function resumed(install: Install): Install | undefined {
  if (!isThere(install) || !isEndedBy(install.reason, 'resume')) return undefined
  return { ...withoutReason(install), state: stateByKey(install) }
}

/** Segment or Drift refuses it. */
export function troubled(install: Install, reason: AccountReason): Install | undefined {
  const shows = install.state === 'live' || (install.state === 'needs_attention' && install.reason !== reason)
  return shows && !isLeaving(install) ? { ...install, state: 'needs_attention', reason } : undefined
}

/** Segment has accepted something, or Drift has answered a lookup. */
export function accepted(install: Install, relief: 'delivered' | 'lookup'): Install | undefined {
  const isOver = install.state === 'needs_attention' && isEndedBy(install.reason, relief)
  return isOver ? relieved(install, relief) : undefined
}

/** With another write key or region, put in already. A pause stays, and so does what Drift refuses or is asked. */
export function keyChanged(install: Install): Install {
  const known = relieved(install, 'new_key')
  return known.state === 'paused' || known.state === 'needs_attention' ? known : { ...known, state: 'live' }
}

/** Its admin has allowed the app in Drift, and its new grant is put in already. What Segment refuses stays, and a pause. */
export function connected(install: Install): Install {
  const known = relieved(install, 'connect')
  return known.state === 'needs_attention' ? known : begun(known)
}

/** It has left: its secrets go with it. */
export function gone(install: Install): Install | undefined {
  if (!isThere(install)) return undefined
  const { grant: _g, writeKey: _w, refreshAt: _r, ...rest } = withoutReason(install)
  return { ...rest, state: 'disconnected' }
}

/** Drift refuses to renew its grant, which is not kept alive any more. A pause stays, and so does a question to Drift. */
export function grantDied({ refreshAt: _, ...install }: Install): Install {
  const shows = (install.state === 'live' || install.state === 'needs_attention') && !isLeaving(install)
  return shows ? { ...install, state: 'needs_attention', reason: 'grant_dead' } : install
}

/** Drift has renewed its grant, and the new pair is put in already. */
export function grantRenewed(install: Install): Install {
  return install.state === 'needs_attention' ? relieved(install, 'renewed_grant') : install
}

/** Its reason goes if this ends it, and with it that it needs attention. */
function relieved(install: Install, relief: Relief): Install {
  if (!isEndedBy(install.reason, relief)) return install
  return { ...withoutReason(install), state: install.state === 'needs_attention' ? 'live' : install.state }
}

/** Nothing but a person keeps it from sending, or that it has no write key. */
function begun(install: Install): Install {
  return { ...install, state: install.state === 'paused' ? 'paused' : stateByKey(install) }
}

function stateByKey({ writeKey }: Install): Install['state'] {
  return writeKey ? 'live' : 'waiting_for_key'
}

function withoutReason({ reason: _, ...rest }: Install): Install {
  return rest
}
