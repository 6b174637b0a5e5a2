/** Digests by which history knows again what it has sent, and whom it must pass over: the store learns no id from them. */
import type { Keyring } from '../../accounts/keyring.ts'
import type { Org } from '../../storage/ports/entry.ts'

type Digests = Pick<Keyring, 'identity'>

/** Of a person whose events were erased: what is read at Drift of them is passed over. */
export function erasedKey(keyring: Digests, org: Org, contact: string): Buffer {
  return keyring.identity(`erased contact\n${org}\n${contact}`)
}

/**
 * Of a contact's attributes, which each destination is given once by history. `nth`: 2 and so on where the contact changed
 * just before they were kept, so that they were read and kept once more.
 */
export function contactKey(keyring: Digests, org: Org, contact: string, nth = 1): Buffer {
  return keyring.identity(`contact of history\n${org}\n${contact}${nth > 1 ? `\n${nth}` : ''}`)
}

const prefix = 'drift-h-'

/** The messageId of what was read at Drift, by its natural key: read again, it is the same. */
export function historyMessageId(once: Buffer): string {
  return prefix + once.toString('base64url')
}

/** The natural key of what was read at Drift; undefined of what a webhook brought. */
export function historyKey(entry: { messageId: string }): Buffer | undefined {
  return isOfHistory(entry) ? Buffer.from(entry.messageId.slice(prefix.length), 'base64url') : undefined
}

export function isOfHistory({ messageId }: { messageId: string }): boolean {
  return messageId.startsWith(prefix)
}
