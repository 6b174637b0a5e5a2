/**
 * What people do with the recipients of their alerts: add, list, test, remove. The console and the command line call these; each
 * checks, and is in the audit, which names the channel and never the address. Confirming is in confirm.ts.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { entryOf, record } from '../accounts/audit.ts'
import { isUnreadable, type Keyring } from '../accounts/keyring.ts'
import { isThere } from '../accounts/state.ts'
import { type Clock, pause } from '../lib/clock.ts'
import { isObject, readText } from '../lib/json.ts'
import { trimmed } from '../lib/pasted.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { AlertRecipient, Channel, Message, NewMessage } from '../storage/ports/alerts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { addressProblemOf, shownAddress } from './address.ts'
import { writeBody } from './body.ts'

export interface RecipientNeeds {
  storage: Pick<Storage, 'alerts' | 'audit'>
  keyring: Keyring
  accounts: Pick<Accounts, 'get'>
  clock: Clock
  random: Random
  /** The settings name a mail server. */
  canMail: boolean
  /** For the demo and tests: receivers on this machine. No setting leads here. */
  unsafeAllowLoopback?: boolean
  /** A message was stored. A service in another process notices by itself. */
  wake?(): void
}

/** A recipient as people see it. `address`: what may be shown of it; undefined where the stored bytes do not open. */
export interface RecipientShown {
  id: string
  channel: Channel
  address: string | undefined
  isConfirmed: boolean
  createdAt: number
}

export const channels = ['webhook', 'slack', 'email'] as const satisfies readonly Channel[]

/** Recipients of an account, and how many of them are e-mail addresses at most. */
export const recipientsMax = 10
export const mailsMax = 5
/** Mails of an account in a day, all kinds. */
export const mailsADay = 50
/** Between two tests of an account. */
export const testMs = 60_000
/** The log keeps a message for so long after it has ended. */
export const keptMs = 30 * 24 * 3_600_000
/** An e-mail address that was not confirmed is kept for so long; its link has worked for three days of them. */
export const unconfirmedMs = 7 * 24 * 3_600_000
/** So long ago every process knows of an account. */
const knownMs = 3_600_000

export type Added =
  | { is: 'added'; recipient: RecipientShown; secret?: string }
  | { is: 'refused'; why: string }
  | { is: 'gone' | 'full' | 'there' | 'no_mail' }

/** The address and, of a webhook, the secret that signs. */
export interface Opened {
  address: string
  secret?: string
}

/** `secret` is returned here, and never again. An e-mail address is used after its owner has confirmed it. */
export async function addRecipient(
  needs: RecipientNeeds,
  org: Org,
  { channel, address: given, who }: { channel: Channel; address: string; who: string },
): Promise<Added> {
  const { storage, keyring, accounts, clock, random, canMail, unsafeAllowLoopback = false } = needs
  const install = accounts.get(org)
  if (!install || !isThere(install)) return { is: 'gone' }
  if (channel === 'email' && !canMail) return { is: 'no_mail' }
  const address = trimmed(given)
  const why = addressProblemOf(channel, address, unsafeAllowLoopback)
  if (why) return { is: 'refused', why }
  for (const recipient of await storage.alerts.recipients(org))
    if (recipient.channel === channel && (await openRecipient(keyring, recipient))?.address === address)
      return { is: 'there' }
  const now = clock.now()
  // Not base64, since a command line takes what begins with a hyphen for an option.
  const id = random.bytes(5).toString('hex')
  const secret = channel === 'webhook' ? `whsec_${random.bytes(32).toString('base64')}` : undefined
  const sealed = await keyring.seal(org, placeOf({ org, id }), JSON.stringify({ address, secret }))
  const confirmed = channel === 'email' ? {} : { confirmedAt: now }
  const recipient: AlertRecipient = { org, id, channel, sealed, createdAt: now, ...confirmed }
  const entry = entryOf(org, now, { who, act: 'addedRecipient', about: channel })
  const most = { recipients: recipientsMax, ofChannel: channel === 'email' ? mailsMax : recipientsMax }
  const added = await storage.alerts.addRecipient(recipient, most, entry)
  if (added === 'full') return { is: 'full' }
  if (channel === 'email') await storage.alerts.create(messageFor(needs, recipient, 'confirm'))
  needs.wake?.()
  return { is: 'added', recipient: shownOf(recipient, address), ...(secret === undefined ? {} : { secret }) }
}

export async function listRecipients(
  { storage, keyring }: Pick<RecipientNeeds, 'storage' | 'keyring'>,
  org: Org,
): Promise<RecipientShown[]> {
  const shown: RecipientShown[] = []
  for (const recipient of await storage.alerts.recipients(org))
    shown.push(shownOf(recipient, (await openRecipient(keyring, recipient))?.address))
  return shown
}

/** Messages that wait for it are not sent any more. False when the recipient is not known. */
export async function removeRecipient(needs: RecipientNeeds, org: Org, id: string, who: string): Promise<boolean> {
  const { storage, clock } = needs
  const recipient = (await storage.alerts.recipients(org)).find((one) => one.id === id)
  if (!recipient) return false
  const at = clock.now()
  const entry = entryOf(org, at, { who, act: 'removedRecipient', about: recipient.channel })
  return storage.alerts.removeRecipient(recipient, { at, keepUntil: at + keptMs }, entry)
}

/** Removes what gets no alert any more: addresses that were never confirmed, and recipients of accounts that have left. */
export async function retireRecipients({
  storage: { alerts },
  accounts,
  clock,
}: Pick<RecipientNeeds, 'accounts' | 'clock'> & { storage: Pick<Storage, 'alerts'> }): Promise<void> {
  const at = clock.now()
  for (const { org, id, channel, createdAt, confirmedAt } of await alerts.recipients()) {
    const install = accounts.get(org)
    const isGone = !install || !isThere(install)
    if (isGone && at - createdAt > knownMs) await alerts.erase(org)
    // mutant: keeps an address for good that was never confirmed
    if (isGone || confirmedAt !== undefined || at - createdAt <= unconfirmedMs) continue
    const entry = entryOf(org, at, { who: 'service', act: 'retiredRecipient', about: channel })
    await alerts.removeRecipient({ org, id }, { at, keepUntil: at + keptMs }, entry)
  }
}

/** `org` '': the operator's recipient. The answer is in the message, once it has ended: see `afterTest`. */
export async function testRecipient(
  needs: RecipientNeeds,
  org: Org,
  id: string,
  who: string,
): Promise<{ is: 'asked'; message: string } | { is: 'gone' | 'unconfirmed' | 'too_soon' }> {
  const { storage, clock } = needs
  const recipient = org === '' ? operatorRecipient : (await storage.alerts.recipients(org)).find((one) => one.id === id)
  if (!recipient) return { is: 'gone' }
  if (recipient.confirmedAt === undefined) return { is: 'unconfirmed' }
  const message = messageFor(needs, recipient, 'test')
  if ((await storage.alerts.create(message, clock.now() - testMs + 1)) !== 'created') return { is: 'too_soon' }
  await record({ ...storage, clock }, { org, who, act: 'testedAlerts', about: recipient.channel })
  needs.wake?.()
  return { is: 'asked', message: message.id }
}

const operatorRecipient: Pick<AlertRecipient, 'org' | 'id' | 'channel' | 'confirmedAt'> = {
  org: '',
  id: '',
  channel: 'webhook',
  confirmedAt: 0,
}

/** A service sends it, in this process or another. Undefined when it has not ended within that time. */
export async function afterTest(
  { storage, clock }: Pick<RecipientNeeds, 'storage' | 'clock'>,
  id: string,
  { waitMs = 20_000, signal }: { waitMs?: number; signal?: AbortSignal } = {},
): Promise<Message | undefined> {
  const until = clock.monotonic() + waitMs
  for (;;) {
    const message = await storage.alerts.get(id)
    if (message?.end !== undefined) return message
    if (clock.monotonic() >= until || signal?.aborted) return undefined
    await pause(clock, 100, signal)
  }
}

/** Undefined when the stored bytes were changed, or the account's key is gone. */
export async function openRecipient(
  keyring: Pick<Keyring, 'open'>,
  recipient: AlertRecipient,
): Promise<Opened | undefined> {
  try {
    const read = readText((await keyring.open(placeOf(recipient), recipient.sealed)).toString())
    if (!read.ok || !isObject(read.value) || typeof read.value.address !== 'string') return undefined
    const { address, secret } = read.value
    return { address, ...(typeof secret === 'string' ? { secret } : {}) }
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** A test or a confirmation for one recipient. */
function messageFor(
  { clock, random }: Pick<RecipientNeeds, 'clock' | 'random'>,
  { org, id: recipient, channel }: Pick<AlertRecipient, 'org' | 'id' | 'channel'>,
  kind: 'test' | 'confirm',
): NewMessage {
  const createdAt = clock.now()
  const body = writeBody({ is: kind, items: [] })
  return { id: timeOrderedId(random, createdAt), org, recipient, channel, kind, body, createdAt }
}

export function shownOf(
  { id, channel, createdAt, confirmedAt }: AlertRecipient,
  address: string | undefined,
): RecipientShown {
  const shown = address === undefined ? undefined : shownAddress(channel, address)
  return { id, channel, address: shown, isConfirmed: confirmedAt !== undefined, createdAt }
}

function placeOf({ org, id }: Pick<AlertRecipient, 'org' | 'id'>): string {
  return `alert recipient ${org} ${id}`
}
