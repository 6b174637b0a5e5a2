/** An account's Segment write key: kept sealed, shown never again, told apart by a fingerprint. */
import { digestOf } from '../lib/secret.ts'
import type { Install } from '../storage/ports.ts'
import { isUnreadable, type Keyring } from './keyring.ts'

/** Who set it, and when; older ones and those of the settings say neither. */
export interface KeySet {
  by: string
  at: number
}

export interface KeyShown {
  /** Eight hex digits of its SHA-256: the same for the same key, and no way back. Or the word `unreadable`. */
  fingerprint: string
  set?: KeySet
}

/** Keys have no line breaks, so what is known of one follows it after the first. */
export function sealWriteKey(keyring: Keyring, org: string, writeKey: string, set?: KeySet): Promise<Buffer> {
  return keyring.seal(org, placeOf(org), set ? `${writeKey}\n${set.at}\n${set.by}` : writeKey)
}

/** Only for an install that has one: `holdOf` says so. */
export async function openWriteKey(keyring: Keyring, install: Install): Promise<string> {
  return (await opened(keyring, install))[0]!
}

/** Undefined where there is none, or where it does not open any more, so that another one must take its place. */
export async function savedWriteKey(keyring: Keyring, install: Install): Promise<string | undefined> {
  return install.writeKey && (await readable(keyring, install))?.[0]
}

export async function shownKey(keyring: Keyring, install: Install | undefined): Promise<KeyShown | undefined> {
  if (!install?.writeKey) return undefined
  const found = await readable(keyring, install)
  // There is one, and another can take its place.
  if (!found) return { fingerprint: 'unreadable' }
  const [key, at, by] = found
  const fingerprint = fingerprintOf(key!)
  return at === undefined || by === undefined ? { fingerprint } : { fingerprint, set: { by, at: Number(at) } }
}

export function fingerprintOf(writeKey: string): string {
  return digestOf(writeKey).slice(0, 8)
}

/** What is wrong with a pasted write key, if anything. An unusual one is no error: Segment has had several shapes. */
export function writeKeyProblem(pasted: string): string | undefined {
  const key = pasted.trim()
  if (key === '') return 'the write key is empty'
  if (key.length > 200) return 'a write key is about 32 characters long'
  if (/[^\x21-\x7e]/.test(key)) return 'a write key has no spaces and only plain letters and digits'
  if (/^sgp_/.test(key))
    return 'this is a token of Segment\'s Public API; the write key is in the source\'s settings under "API Keys"'
  if (/^https?:/i.test(key)) return 'this is an address, not a write key'
  if (/your|replace|write_?key|example|placeholder/i.test(key)) return 'this is a placeholder, not a write key'
  return undefined
}

/** What is unusual about a key that may well be right. */
export function writeKeyWarning(key: string): string | undefined {
  if (/^[A-Za-z0-9]{32}$/.test(key)) return undefined
  return 'Segment’s write keys mostly have 32 letters and digits, and this one does not: compare it with the source.'
}

async function readable(keyring: Keyring, install: Install): Promise<string[] | undefined> {
  return opened(keyring, install).catch((error: unknown) => {
    if (isUnreadable(error)) return undefined
    throw error
  })
}

async function opened(keyring: Keyring, install: Install): Promise<string[]> {
  return (await keyring.open(placeOf(install.org), install.writeKey!)).toString().split('\n')
}

function placeOf(org: string): string {
  return `installs write_key ${org}`
}
