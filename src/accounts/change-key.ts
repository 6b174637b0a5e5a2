/** Changing where a destination sends and under which write key, and trying one out. To change it is to send the data elsewhere. */
import type { Clock } from '../lib/clock.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { batchRequest, textOf } from '../segment/batch.ts'
import { addressOf, isSamePlace, type Place, type Places, placeSaid } from '../segment/place.ts'
import { judge, type Verdict } from '../segment/verdict.ts'
import { judgeSettings, type KeySign, settingsRequest, testCall } from '../segment/write-key.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber, Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import { changeDestination, destinationOf, destinationsOf, firstOf } from './destinations.ts'
import type { Keyring } from './keyring.ts'
import { assertOffered, assertUnrepeated, targetsOf } from './repeated.ts'
import { assertReadable } from './settings.ts'
import { keyChanged } from './state.ts'
import { fingerprintOf, type KeyShown, sealWriteKey, shownKey, unusualAt } from './write-key.ts'

export interface KeyChange extends Place {
  /** Of which destination: the account's first one when absent. */
  destination?: DestinationNumber
  /** None: the present key stays, and only the place changes. */
  writeKey?: string
  by: string
  /** The fingerprint of the key that was shown when the change was made up; undefined: whatever is there. */
  replaces?: string
}

/**
 * `unusual`: what is, about a key that was saved for another place. `stale`: another person or process has changed it
 * meanwhile; `gone`: the account is not there any more.
 */
export type KeyChanged =
  | { is: 'saved'; fingerprint: string; unusual?: string }
  | { is: 'stale'; now?: KeyShown }
  | { is: 'gone' }

interface Needs {
  accounts: Accounts
  keyring: Keyring
  clock: Clock
  places?: Places
}

/** What stands for "no key" where a form says which key it replaces. */
export const noKey = 'none'

/**
 * Throws a Problem where another destination of the account has this key there already, where the saved key cannot be one
 * there, or the endpoint is not listed.
 */
export async function changeWriteKey(
  needs: Needs,
  org: Org,
  { destination, writeKey, region, endpoint, by, replaces }: KeyChange,
): Promise<KeyChanged> {
  const { accounts, keyring, clock } = needs
  const before = accounts.get(org)
  if (!before || before.state === 'disconnected') return { is: 'gone' }
  assertReadable(before)
  const number = destination ?? firstOf(before).number
  const known = destinationOf(before, number)
  if (!known) return { is: 'gone' }
  const shown = await shownKey(keyring, before, known)
  if (replaces !== undefined && replaces !== (shown?.fingerprint ?? noKey))
    return { is: 'stale', ...(shown ? { now: shown } : {}) }
  const place = { region, endpoint }
  assertOffered(needs.places, place)
  const unusual = writeKey === undefined ? await unusualAt(keyring, org, known, place) : undefined
  await assertUnrepeated(needs, before, { number, place, writeKey })
  const at = clock.now()
  const key = writeKey === undefined ? known.key : await sealWriteKey(keyring, org, number, writeKey, { by, at })
  if (!key) return { is: 'gone' }
  const fingerprint = writeKey === undefined ? shown!.fingerprint : fingerprintOf(writeKey)
  const instead = known.key === undefined || isSamePlace(known, place) ? '' : ` in place of ${placeSaid(known)}`
  const about = `${aboutOf(before, number)}fingerprint ${fingerprint}, ${placeSaid(place)}${instead}`
  // That its test event was seen is known of this key at this place.
  const isAsBefore = fingerprint === shown?.fingerprint && isSamePlace(known, place)
  const change = { key, region, endpoint, ...(isAsBefore ? {} : { confirmedKey: undefined }) }
  let isSaved = false
  const edit = (stored: Install) => {
    isSaved = stored.state !== 'disconnected' && targetsOf(stored) === targetsOf(before)
    return isSaved ? keyChanged(changeDestination(stored, number, change), number) : undefined
  }
  const after = await accounts.change(org, at, edit, {
    audit: () => ({ who: by, act: writeKey === undefined ? 'changedPlace' : 'setKey', about }),
  })
  if (isSaved) return { is: 'saved', fingerprint, ...(unusual === undefined ? {} : { unusual }) }
  const now = after && (await shownKey(keyring, after, destinationOf(after, number)))
  return { is: 'stale', ...(now ? { now } : {}) }
}

/** Which destination an audit entry is about, where the account has several. */
function aboutOf(install: Install, number: DestinationNumber): string {
  const { name } = destinationOf(install, number)!
  return destinationsOf(install).length > 1 ? `destination ${number} (${name}): ` : ''
}

export interface KeyTested {
  /** What to search for in the source's debugger. */
  messageId: string
  /** Segment's answer to the event; done says that it took it, not that the key is right. */
  verdict: Verdict
  sign: KeySign
}

interface TestNeeds {
  send: Send
  segment: Places & { cdn: string }
  clock: Clock
  random: Random
}

/** Sends one event with this key and, where it is Segment's, looks whether Segment's own files know it. */
export async function testWriteKey(
  { send, segment, clock, random }: TestNeeds,
  writeKey: string,
  place: Place,
): Promise<KeyTested> {
  assertOffered(segment, place)
  const now = clock.now()
  const messageId = `drift-test-${timeOrderedId(random, now)}`
  const text = textOf(testCall(messageId, now))
  const isEndpoint = place.endpoint !== undefined
  const signOf = async (): Promise<KeySign> =>
    isEndpoint ? 'unasked' : judgeSettings(await send(settingsRequest(segment.cdn, writeKey)))
  const [answered, sign] = await Promise.all([
    send(batchRequest({ apiUrl: addressOf(segment, place)!, writeKey, isEndpoint }, [{ text }], now)),
    signOf(),
  ])
  return { messageId, verdict: judge(answered, now), sign }
}
