/** Everything that can be said of a lease's entries before Segment is asked: what to send, and what becomes of the others. */

import type { Keyring } from '../accounts/keyring.ts'
import type { EventPage, Id } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import { messageBytesMax, type Packed, textOf } from '../segment/batch.ts'
import type { Given, Placed } from '../storage/ports/entry.ts'
import type { Lease, Settlement } from '../storage/ports/inbox.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { atOnce, breath, type Resolved, resolve } from './resolve.ts'
import { translate } from './translate.ts'

export interface PrepareNeeds {
  storage: Pick<Storage, 'inbox' | 'conversations'>
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  clock: Clock
  /** Messages in one request, and entries looked at in one go, at most. */
  messagesMax: number
}

export interface Prepared {
  entries: readonly Placed[]
  messages: Packed[]
  aside: Settlement[]
  /** Whose some of the messages are, where their webhooks did not say so themselves: people search by it. */
  learnt: Map<number, Id>
}

/** Bodies claimed at once: so that many accounts at once stay within memory. */
export const leaseBytesMax = 500_000
/** Makes entries of a lease ready to be sent, in order. */
export async function prepare(needs: PrepareNeeds, lease: Lease, given: Given): Promise<Prepared> {
  const { storage, catalogue, keyring, clock } = needs
  const prepared: Prepared = { entries: given.entries, messages: [], aside: [], learnt: new Map() }
  const looks = { catalogue, keyring, conversations: storage.conversations }
  let many = 0
  for (const one of await resolve(looks, lease.org, given, lease)) {
    const made = prepareOne(one, clock.now())
    const { contact } = learntOf(one)
    if (!('text' in made)) prepared.aside.push(made)
    else {
      prepared.messages.push(made)
      if (contact !== undefined) prepared.learnt.set(made.id, contact)
    }
    if (++many % atOnce === 0) await breath()
  }
  return prepared
}

function prepareOne(one: Resolved, now: number): Packed | Settlement {
  const { id } = one.entry
  if (one.is === 'quarantined') return { id, to: 'quarantined', at: now, reason: one.reason }
  if (one.is === 'asking') return { id, to: 'asking', at: now }
  const text = translated(one)
  if (text === null) return { id, to: 'quarantined', at: now, reason: 'translation_failed', ...learntOf(one) }
  if (text === undefined) return { id, to: 'ignored', at: now, reason: 'empty' }
  const bytes = Buffer.byteLength(text)
  if (bytes > messageBytesMax) return { id, to: 'dead', at: now, reason: 'message_too_large', ...learntOf(one) }
  return { id, whose: one.known.contactId, text, bytes }
}

/** Undefined when the event says nothing; null when its page fails on it, which must not hold up those behind it. */
function translated(one: Extract<Resolved, { is: 'known' }>): string | undefined | null {
  try {
    const call = translate(one.page, one.data, one.known, one.entry)
    return call && textOf(call)
  } catch {
    return null
  }
}

function learntOf(one: Resolved): Pick<Settlement, 'contact'> {
  if (one.is !== 'known' || one.entry.contact === one.known.contactId) return {}
  return { contact: one.known.contactId }
}
