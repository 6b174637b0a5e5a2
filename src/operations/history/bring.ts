/** Keeps one conversation or meeting that Drift lists, and what its contact's attributes are now. */
import type { Accounts } from '../../accounts/accounts.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { optionsVersionOf } from '../../accounts/options.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { sendable } from '../../drift/lists.ts'
import { type EventPage, idOf } from '../../events/define.ts'
import type { Log } from '../../lib/log.ts'
import type { Arriving, Keep } from '../../pipeline/keep.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Storage } from '../../storage/ports/storage.ts'
import { contactArrival, listedArrival, pageListed } from './arrivals.ts'
import type { AskNeeds, Barred, HistoryOfDrift } from './ask.ts'
import type { Judged } from './judge.ts'
import { contactKey, erasedKey, isOfHistory } from './keys.ts'

export interface BringNeeds extends AskNeeds {
  catalogue: ReadonlyMap<string, EventPage>
  accounts: Pick<Accounts, 'get'>
  keyring: Pick<Keyring, 'identity'>
  inbox: Pick<Storage['inbox'], 'occurred' | 'destinations' | 'erase'>
  conversations: Pick<Storage['conversations'], 'recall'>
  ledger: Pick<Storage['ledger'], 'totals' | 'timeBuckets'>
  lookup: Storage['lookup']
  jobs: Pick<Storage['jobs'], 'renew'>
  keep: Keep
  log: Pick<Log, 'warn'>
  /** Called after something was kept that is to be sent. */
  wake(): void
}

export interface Means {
  drift: HistoryOfDrift
  org: Org
  page: EventPage
  /** Each contact's attributes are sent too. */
  withContacts: boolean
  /** Contacts that are being read at this moment. */
  reading: Map<string, Promise<NoGrant | undefined>>
  /** Contacts of which there is nothing to send: they are asked for once. `everybody`: Drift lets none be read. */
  without: Set<string>
  signal: AbortSignal
  /** Counts something that people are shown. */
  add(what: string): void
}

/** The grant has ended: nothing more can be asked, and what was in hand is neither sent nor counted. */
export type NoGrant = Extract<Barred, { is: 'no_grant' }>

export const everybody = 'everybody'

/** A contact that changes while it is read is read again, so often in all. */
const readingsMax = 3

/** `kept`: as an event that is to be sent. `passed_over`: it is known, counted with its reason, or its contact alone was new. */
export async function bringOne(
  needs: BringNeeds,
  means: Means,
  { listed, once, contactId, contactKnown, is }: Judged,
): Promise<'kept' | 'passed_over' | NoGrant> {
  const { org, page, add, withContacts, signal } = means
  const contact = contactId ?? (await contactOf(means, listed.conversationId))
  if (contact === undefined) return 'passed_over'
  if (typeof contact === 'object') return contact
  if (withContacts && !contactKnown && !means.without.has(contact) && !means.without.has(everybody)) {
    // Of a person who was erased nothing is asked for.
    if (await isErased(needs, org, contact)) {
      if (is === 'missing') add('erased')
      return 'passed_over'
    }
    const reading = means.reading.get(contact) ?? bringContact(needs, means, contact)
    means.reading.set(contact, reading)
    const ended = await reading
    if (ended) return ended
  }
  // Nothing is kept for a job that was cancelled or taken over while it asked.
  signal.throwIfAborted()
  if (is !== 'missing') return 'passed_over'
  const isKept = await keepFor(needs, org, listedArrival(page, listed, contact, once, madeNow(needs, org)))
  if (!isKept && (await isErased(needs, org, contact))) add('erased')
  return isKept ? 'kept' : 'passed_over'
}

async function contactOf(
  { drift, add }: Means,
  conversationId: string | undefined,
): Promise<string | NoGrant | undefined> {
  const answer = conversationId === undefined ? ({ is: 'missing' } as const) : await drift.conversation(conversationId)
  if (answer.is === 'no_grant') return answer
  const contact = answer.is === 'found' ? idOf(answer.conversation.contactId) : undefined
  if (answer.is === 'forbidden') add('barred_conversations')
  else if (answer.is === 'unanswered') add('unanswered')
  else if (contact === undefined) add('no_contact')
  return contact
}

async function isErased({ inbox, keyring }: BringNeeds, org: Org, contact: string): Promise<boolean> {
  const [had] = await inbox.occurred(org, [erasedKey(keyring, org, contact)])
  return had!.includes(0)
}

/** With the options of this moment, as a webhook has those of its receipt. */
function madeNow({ clock, random, keyring, accounts }: BringNeeds, org: Org) {
  const install = accounts.get(org)
  return { org, receivedAt: clock.now(), random, keyring, options: install ? optionsVersionOf(install) : 0 }
}

async function keepFor({ keep, accounts, inbox, wake }: BringNeeds, org: Org, arriving: Arriving): Promise<boolean> {
  const { outcome } = await keep(arriving)
  // The account left while this was stored: what erased the account has not seen it.
  if (accounts.get(org)?.state === 'disconnected') await inbox.erase(org)
  if (outcome === 'stored') wake()
  return outcome === 'stored'
}

async function bringContact(needs: BringNeeds, means: Means, contact: string): Promise<NoGrant | undefined> {
  const { accounts, catalogue, inbox, keyring, clock } = needs
  const { drift, org, add, signal } = means
  const page = pageListed(catalogue, 'contacts')
  const install = accounts.get(org)
  if (!install || settingsOf(install).offTypes.includes(page.type)) return undefined
  const [[had], all] = await Promise.all([
    inbox.occurred(org, [contactKey(keyring, org, contact)]),
    inbox.destinations(org),
  ])
  if (all.length > 0 && all.every((destination) => had!.includes(destination))) return undefined
  for (let [reading, kept] = [1, 0]; reading <= readingsMax; reading++) {
    const since = clock.now()
    const answer = await drift.contact(contact)
    if (answer.is === 'no_grant') return answer
    const attributes = answer.is === 'found' ? sendable(answer.attributes) : {}
    const why = whyNothing(answer.is, attributes)
    if (why) {
      const whose = why === 'barred_contacts' ? everybody : contact
      if (!means.without.has(whose)) add(why)
      means.without.add(whose)
      return undefined
    }
    signal.throwIfAborted()
    const isLast = reading === readingsMax
    // What changed while it was read may not be in what was read.
    if (!isLast && (await hasChanged(needs, org, contact, since))) continue
    kept += 1
    await keepFor(needs, org, contactArrival(page, contact, kept, attributes, madeNow(needs, org)))
    // A change that came until just now may stand before what was kept just now.
    if (!(await hasChanged(needs, org, contact, since))) return undefined
  }
  return undefined
}

function whyNothing(is: Awaited<ReturnType<HistoryOfDrift['contact']>>['is'], attributes: object): string | undefined {
  if (is === 'forbidden') return 'barred_contacts'
  if (is === 'unanswered') return 'contacts_unanswered'
  if (is !== 'found') return 'contacts_gone'
  return Object.keys(attributes).length === 0 ? 'contacts_empty' : undefined
}

/** Whether a webhook has said since then that the contact has changed. */
async function hasChanged(
  { lookup, catalogue }: BringNeeds,
  org: Org,
  contact: string,
  from: number,
): Promise<boolean> {
  const { type } = pageListed(catalogue, 'contacts')
  const { entries } = await lookup.find({ org, contact, type, from }, { limit: 10 })
  return entries.some((entry) => !isOfHistory(entry))
}
