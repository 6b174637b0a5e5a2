/** An account's Segment write key: kept sealed, shown never again, told apart by a fingerprint. */
import { digestOf } from '../lib/secret.ts'
import type { Install } from '../storage/ports/accounts.ts'
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
