/** Whose event is it: said by the webhook itself, remembered, or to be asked of Drift. Nothing is asked here. */

import type { Keyring } from '../accounts/keyring.ts'
import { deletionType, reopen, reopenChecked } from '../drift/envelope.ts'
import { type EventPage, type Id, idOf, type Known } from '../events/define.ts'
import { Problem } from '../lib/errors.ts'
import { canonical, isObject, type JsonObject, readText } from '../lib/json.ts'
import type { Conversations } from '../storage/ports/accounts.ts'
import type { Body, Entry } from '../storage/ports/entry.ts'
import type { Lease } from '../storage/ports/inbox.ts'
import type { ShownState } from '../storage/ports/lookup.ts'
import type { WithoutReason } from './contacts.ts'
import { type Texts, textsOf } from './texts.ts'

/** An entry as far as it is looked at here. */
export type InBody = Pick<Entry, 'id' | 'org' | 'type' | 'messageId' | 'receivedAt' | 'mapping' | 'failures'> &
  Pick<Entry, 'contact' | 'conversation' | 'body' | 'position' | 'known' | 'sending'> & {
    state: ShownState
    /** The messageId that a destination gets, where it is to be sent to one. */
    sentAs?: string
  }

export type Resolved =
  | { is: 'known'; entry: InBody; page: EventPage; data: JsonObject; known: Known; learnt: Learnt }
  | { is: 'asking'; entry: InBody; page: EventPage; data: JsonObject; conversationId: Id }
  | { is: 'quarantined'; entry: InBody; reason: string }

interface Needs {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Pick<Keyring, 'open'>
  conversations: Pick<Conversations, 'recall' | 'remember'>
}

/** Entries worked on in one go, about a millisecond's worth: webhooks that arrive meanwhile are not kept waiting longer. */
export const atOnce = 25

/** Lets what has arrived meanwhile have its turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Resolves entries of one account, in order; one that starts a conversation answers for those that follow it. */
export async function resolve(
  needs: Needs,
  org: string,
  { entries, bodies }: { entries: readonly InBody[]; bodies: readonly Body[] },
  lease?: Lease,
): Promise<Resolved[]> {
  const opened: Resolved[] = []
  const texts = textsOf(needs.keyring, bodies)
  for (let at = 0; at < entries.length; at += atOnce) {
    if (at > 0) await yieldToEventLoop()
    opened.push(...(await Promise.all(entries.slice(at, at + atOnce).map((entry) => open(needs, texts, entry)))))
  }
  const unsure = opened.flatMap((one) =>
    one.is === 'asking' && !mustAsk(one.page, one.data) ? [one.conversationId] : [],
  )
  const contactOf = unsure.length > 0 ? await needs.conversations.recall(org, unsure) : new Map<Id, Id>()
  const learnt = new Map<Id, Id>()
  const resolved = opened.map((one): Resolved => {
    if (one.is === 'known') {
      const conversation = startedConversation(one.page, one.data)
      if (conversation) learnt.set(conversation, one.known.contactId)
    }
    if (one.is !== 'asking' || mustAsk(one.page, one.data)) return one
    const contactId = learnt.get(one.conversationId) ?? contactOf.get(one.conversationId)
    return contactId === undefined ? one : { ...one, is: 'known', known: { contactId }, learnt: {} }
  })
  if (learnt.size > 0) await needs.conversations.remember(org, learnt, lease)
  return resolved
}

/**
 * What was learnt of an event beside its webhook; sealed with the entry. Whatever a call is made of stands in it before the
 * first attempt, so that each attempt is the same.
 */
export interface Learnt {
  contactId?: Id
  conversation?: JsonObject
  /** When Drift first did not know the conversation. */
  missingSince?: number
  /** When its contact was first asked for, and Drift did not answer. */
  askedSince?: number
  /** Those of its contact that its options take, as they were when it was sent first. */
  attributes?: JsonObject
  /** Why nothing is known of its contact. */
  without?: WithoutReason
  /** Why Segment refused the second event that was to go with this one. */
  extraRefused?: string
}

/** Where it belongs: sealed bytes that are moved to another entry do not open. */
function learntPlace(messageId: string): string {
  return `learnt ${messageId}`
}

export async function openLearnt(
  keyring: Pick<Keyring, 'open'>,
  entry: Pick<Entry, 'messageId' | 'known'>,
): Promise<Learnt> {
  if (!entry.known) return {}
  const reading = readText((await keyring.open(learntPlace(entry.messageId), entry.known)).toString())
  return reading.ok && isObject(reading.value) ? (reading.value as Learnt) : {}
}

export function sealLearnt(
  keyring: Pick<Keyring, 'seal'>,
  { org, messageId }: Pick<Entry, 'org' | 'messageId'>,
  learnt: Learnt,
): Promise<Buffer> {
  return keyring.seal(org, learntPlace(messageId), canonical(learnt as JsonObject))
}

/** An entry that does not open, because its bytes were changed, must not hold up those behind it. */
async function open(needs: Needs, texts: Texts, entry: InBody): Promise<Resolved> {
  try {
    return await openEntry(needs, texts, entry)
  } catch (error) {
    if (error instanceof Problem) return { is: 'quarantined', entry, reason: error.code }
    throw error
  }
}

async function openEntry({ catalogue, keyring }: Needs, texts: Texts, entry: InBody): Promise<Resolved> {
  // It came before its account was installed here, and a person must handle it, whatever it says.
  if (entry.type === deletionType) return { is: 'quarantined', entry, reason: deletionType }
  const text = (await texts.of(entry)).toString()
  // A quarantined event may not have had an envelope when it came.
  const envelope = entry.state === 'quarantined' ? reopen(text) : reopenChecked(text)
  if (!envelope) return { is: 'quarantined', entry, reason: 'invalid_json' }
  const page = catalogue.get(envelope.type)
  if (!page) return { is: 'quarantined', entry, reason: 'type_unknown' }
  const { data } = envelope
  if (!page.data.safeParse(data).success) return { is: 'quarantined', entry, reason: 'shape_unknown' }
  const learnt = await openLearnt(keyring, entry)
  const { contactId, conversation } = learnt
  if (contactId !== undefined) {
    return { is: 'known', entry, page, data, known: { contactId, ...(conversation ? { conversation } : {}) }, learnt }
  }
  const whose = page.whose(data)
  if (!whose) return { is: 'quarantined', entry, reason: 'nobody_named' }
  const conversationId = 'conversationId' in whose ? whose.conversationId : idOf(data.conversationId)
  if (conversationId !== undefined && ('conversationId' in whose || mustAsk(page, data))) {
    return { is: 'asking', entry, page, data, conversationId }
  }
  return 'contactId' in whose
    ? { is: 'known', entry, page, data, known: whose, learnt }
    : { is: 'quarantined', entry, reason: 'nobody_named' }
}

export function mustAsk(page: EventPage, data: JsonObject): boolean {
  return page.needsConversation?.(data) ?? false
}

/** The conversation an event belongs to, as far as the webhook says: what people search by. */
function conversationOf(page: EventPage, data: JsonObject): Id | undefined {
  return startedConversation(page, data) ?? idOf(data.conversationId)
}

/** What people search an entry by, in the clear, as far as the webhook says it. */
export function searchedBy(page: EventPage, data: JsonObject): { contact?: Id; conversation?: Id } {
  const whose = page.whose(data)
  const conversation = whose && 'conversationId' in whose ? whose.conversationId : conversationOf(page, data)
  return {
    ...(whose && 'contactId' in whose ? { contact: whose.contactId } : {}),
    ...(conversation === undefined ? {} : { conversation }),
  }
}

/** The conversation that this event says the contact of, when its page says so. */
function startedConversation(page: EventPage, data: JsonObject): Id | undefined {
  return page.starts === undefined ? undefined : idOf(data[page.starts])
}
