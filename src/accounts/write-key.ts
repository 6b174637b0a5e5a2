/** The write key of an account's destination: kept sealed, never shown again, and recognized by a fingerprint. */
import { Problem } from '../lib/errors.ts'
import { digestOf } from '../lib/secret.ts'
import { judgeFor } from '../segment/key.ts'
import { isSamePlace, type Place } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber } from '../storage/ports/entry.ts'
import { type Destination, firstOf } from './destinations.ts'
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

/** Keys have no line breaks, so what is known of one follows it after the first. In base64, as it stands in the settings. */
export async function sealWriteKey(
  keyring: Keyring,
  org: string,
  number: DestinationNumber,
  writeKey: string,
  set?: KeySet,
): Promise<string> {
  const text = set ? `${writeKey}\n${set.at}\n${set.by}` : writeKey
  return (await keyring.seal(org, placeOf(org, number), text)).toString('base64')
}

/** Only of a destination that has one: `holdOf` says so. */
export async function openWriteKey(keyring: Keyring, org: string, destination: Destination): Promise<string> {
  return (await opened(keyring, org, destination))[0]!
}

/** Undefined where there is none, or where it does not open any more, so that another one must take its place. */
export async function savedWriteKey(
  keyring: Keyring,
  org: string,
  destination: Destination,
): Promise<string | undefined> {
  return destination.key && (await readable(keyring, org, destination))?.[0]
}

/**
 * What is unusual about a destination's saved key at another place, if anything: an endpoint's may have any form. Throws a
 * Problem where it cannot be one there. The key itself is in neither.
 */
export async function unusualAt(
  keyring: Keyring,
  org: string,
  destination: Destination,
  place: Place,
): Promise<string | undefined> {
  const key = isSamePlace(destination, place) ? undefined : await savedWriteKey(keyring, org, destination)
  const judged = key === undefined ? undefined : judgeFor(place)(key)
  if (judged?.is !== 'refused') return judged?.is === 'unusual' ? judged.why : undefined
  throw new Problem('write_key_unusable', `the saved write key cannot be one there: ${judged.why}`, {
    hint: 'give the write key of that place too',
    exitCode: 2,
  })
}

/** What may be shown of a destination's key; of the account's first one where none is named. */
export async function shownKey(
  keyring: Keyring,
  install: Install | undefined,
  destination = install && firstOf(install),
): Promise<KeyShown | undefined> {
  if (!install || !destination?.key) return undefined
  const found = await readable(keyring, install.org, destination)
  // There is one, and another can take its place.
  if (!found) return { fingerprint: 'unreadable' }
  const [key, at, by] = found
  const fingerprint = fingerprintOf(key!)
  return at === undefined || by === undefined ? { fingerprint } : { fingerprint, set: { by, at: Number(at) } }
}

export function fingerprintOf(writeKey: string): string {
  return digestOf(writeKey).slice(0, 8)
}

async function readable(keyring: Keyring, org: string, destination: Destination): Promise<string[] | undefined> {
  return opened(keyring, org, destination).catch((error: unknown) => {
    if (isUnreadable(error)) return undefined
    throw error
  })
}

async function opened(keyring: Keyring, org: string, { number, key }: Destination): Promise<string[]> {
  return (await keyring.open(placeOf(org, number), Buffer.from(key!, 'base64'))).toString().split('\n')
}

/** A key that is moved to another destination does not open there. */
function placeOf(org: string, number: DestinationNumber): string {
  return `destinations key ${org} ${number}`
}
