/** Everything that can be said of a lease's entries before Segment is asked: what to send, and what becomes of the others. */

import type { Keyring } from '../accounts/keyring.ts'
import type { EventPage, Id } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { Sent } from '../mapping/apply.ts'
import { isLeftOut, type LeftOut } from '../mapping/option.ts'
import { attributesTaken, type Options } from '../mapping/options.ts'
import { noOptions, versionOf } from '../mapping/versions.ts'
import { messageBytesMax, type Packed, packed } from '../segment/batch.ts'
import { messageIdAt } from '../segment/message-id.ts'
import type { Destination, Given, Placed } from '../storage/ports/entry.ts'
import type { Lease, Settlement } from '../storage/ports/inbox.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { WithExtra } from './extras.ts'
import { atOnce, type Resolved, resolve, yieldToEventLoop } from './resolve.ts'
import { sentFor } from './translate.ts'

export interface PrepareNeeds {
  storage: Pick<Storage, 'inbox' | 'conversations'>
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  clock: Clock
  /** Messages in one request, and entries looked at in one go, at most. */
  messagesMax: number
}

/** The options that events of a version are sent with, at the destination of a lease. */
export type OptionsOf = (version: number) => Promise<Options>

export type KnownEvent = Extract<Resolved, { is: 'known' }>

/** An event whose options take attributes of its contact, which are not known yet. */
export interface Needing {
  id: number
  whose: Id
  one: KnownEvent
  options: Options
  /** The attributes that are taken. */
  names: readonly string[]
}

/** What is to be sent: made already, or as soon as its contact is known. */
export type Item = Packed | Needing

export interface Prepared {
  entries: readonly Placed[]
  items: Item[]
  unsent: Settlement[]
  /** Whose some of the messages are, where their webhooks did not say so themselves: people search by it. */
  learnt: Map<number, Id>
  withExtra: WithExtra
}

/** Bodies claimed at once: so that many accounts at once stay within memory. */
export const leaseBytesMax = 500_000
/** Makes entries of a lease ready to be sent, in order. */
export async function prepare(
  needs: PrepareNeeds,
  lease: Lease,
  given: Given,
  optionsOf: OptionsOf = async () => noOptions,
): Promise<Prepared> {
  const { storage, catalogue, keyring, clock } = needs
  const prepared: Prepared = { entries: given.entries, items: [], unsent: [], learnt: new Map(), withExtra: new Map() }
  const looks = { catalogue, keyring, conversations: storage.conversations }
  let many = 0
  for (const one of await resolve(looks, lease.org, namedFor(given, lease.destination), lease)) {
    const version = versionOf(one.entry.mapping)
    const made = prepareOne(one, clock.now(), version === 0 ? noOptions : await optionsOf(version))
    if (!isItem(made)) prepared.unsent.push(made)
    else {
      prepared.items.push(made)
      const { contact } = learntOf(one)
      if (contact !== undefined) prepared.learnt.set(made.id, contact)
      if ('alone' in made && one.is === 'known')
        prepared.withExtra.set(made.id, { entry: one.entry, learnt: { ...one.learnt, ...one.known } })
    }
    if (++many % atOnce === 0) await yieldToEventLoop()
  }
  return prepared
}

/** The same entries, with the messageIds that the destination gets. */
function namedFor({ entries, bodies }: Given, destination: Destination) {
  const named = (entry: Placed) => ({ ...entry, sentAs: messageIdAt(entry.messageId, destination, entry.sending) })
  return { entries: entries.map(named), bodies }
}

function isItem(made: Item | Settlement): made is Item {
  return 'whose' in made
}

function prepareOne(one: Resolved, now: number, options: Options): Item | Settlement {
  const { id } = one.entry
  if (one.is === 'quarantined') return { id, to: 'quarantined', at: now, reason: one.reason }
  if (one.is === 'asking') return { id, to: 'asking', at: now }
  const names = namesNeeded(one, options)
  return names.length > 0 ? { id, whose: one.known.contactId, one, options, names } : finished(one, options, now)
}

/** None where its contact is known already, or nothing is sent of it whatever Drift says. */
function namesNeeded(one: KnownEvent, options: Options): string[] {
  const names = options === noOptions || one.learnt.attributes ? [] : attributesTaken(options)
  if (names.length === 0) return names
  const sent = translated(one, options.only ? { only: options.only } : noOptions)
  return !sent || isLeftOut(sent) ? [] : names
}

/** An event with all that is known of it, ready to be sent, or what becomes of it instead. */
export function finished(one: KnownEvent, options: Options, now: number): Packed | Settlement {
  const { id } = one.entry
  const sent = translated(one, options)
  if (sent === null) return { id, to: 'quarantined', at: now, reason: 'translation_failed', ...learntOf(one) }
  if (sent === undefined) return { id, to: 'ignored', at: now, reason: 'empty' }
  if (isLeftOut(sent)) return { id, to: 'ignored', at: now, reason: sent.leftOut, ...learntOf(one) }
  const message = packed(id, one.known.contactId, sent.call, sent.extra)
  const bytes = message.alone === undefined ? message.bytes : Buffer.byteLength(message.alone)
  if (bytes > messageBytesMax) return { id, to: 'dead', at: now, reason: 'message_too_large', ...learntOf(one) }
  return message
}

/** Undefined when the event says nothing; null when its page fails on it, which must not hold up those behind it. */
function translated(one: KnownEvent, options: Options): Sent | LeftOut | undefined | null {
  try {
    return sentFor(one, options)
  } catch {
    return null
  }
}

function learntOf(one: Resolved): Pick<Settlement, 'contact'> {
  if (one.is !== 'known' || one.entry.contact === one.known.contactId) return {}
  return { contact: one.known.contactId }
}
