/** E-mail addresses are used after their owner has opened a link and pressed its button. The link has no session behind it. */
import { entryOf } from '../accounts/audit.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { isSame } from '../lib/secret.ts'
import type { AlertRecipient } from '../storage/ports/alerts.ts'
import { openRecipient, type RecipientNeeds, type RecipientShown, shownOf } from './recipients.ts'

type Needs = Pick<RecipientNeeds, 'storage' | 'keyring' | 'clock' | 'wake'>

/** A link works for so long after the address was entered. */
const linkMs = 3 * 24 * 3_600_000

/** The last part of the link. It is computed from the service's own secret, so none is stored. */
export function confirmationToken(
  keyring: Pick<Keyring, 'identity'>,
  { org, id }: Pick<AlertRecipient, 'org' | 'id'>,
): string {
  return `${org}.${id}.${keyring.identity(`alert-confirm\n${org}\n${id}`).toString('base64url')}`
}

/** The recipient of this link, with what may be shown of its address; undefined when the link does not work, or no longer. */
export async function recipientToConfirm(needs: Needs, token: string): Promise<RecipientShown | undefined> {
  const recipient = await recipientOf(needs, token)
  return recipient && shownOf(recipient, (await openRecipient(needs.keyring, recipient))?.address)
}

/** The second time it changes nothing. False when the link does not work, or no longer. */
export async function confirmRecipient(needs: Needs, token: string): Promise<boolean> {
  const recipient = await recipientOf(needs, token)
  if (!recipient) return false
  const { storage, clock } = needs
  const entry = entryOf(recipient.org, clock.now(), { who: 'recipient', act: 'confirmedRecipient', about: 'email' })
  await storage.alerts.confirmRecipient(recipient, clock.now(), entry)
  needs.wake?.()
  return true
}

async function recipientOf({ storage, keyring, clock }: Needs, token: string): Promise<AlertRecipient | undefined> {
  const [org, id] = token.split('.')
  if (!org || !id || !isSame(token, confirmationToken(keyring, { org, id }))) return undefined
  const recipient = (await storage.alerts.recipients(org)).find((one) => one.id === id)
  return recipient && clock.now() - recipient.createdAt < linkMs ? recipient : undefined
}
