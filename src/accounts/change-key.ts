/** Changing an account's write key, and trying one out. To change it is to send the data elsewhere. */
import type { Clock } from '../lib/clock.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { batchRequest, textOf } from '../segment/batch.ts'
import type { Region } from '../segment/region.ts'
import { judge, type Verdict } from '../segment/verdict.ts'
import { judgeSettings, type KeySign, settingsRequest, testCall } from '../segment/write-key.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { Keyring } from './keyring.ts'
import { changeSettings } from './settings.ts'
import { keyChanged } from './state.ts'
import { fingerprintOf, type KeyShown, sealWriteKey, shownKey } from './write-key.ts'

export interface KeyChange {
  /** None: the present key stays, and only the region changes. */
  writeKey?: string
  region: Region
  by: string
  /** The fingerprint of the key that was shown when the change was made up; undefined: whatever is there. */
  replaces?: string
}

/** `stale`: another person or process has changed it meanwhile; `gone`: the account is not there any more. */
export type KeyChanged = { is: 'saved'; fingerprint: string } | { is: 'stale'; now?: KeyShown } | { is: 'gone' }

interface Needs {
  accounts: Accounts
  keyring: Keyring
  clock: Clock
}

/** What stands for "no key" where a form says which key it replaces. */
export const noKey = 'none'

export async function changeWriteKey(
  { accounts, keyring, clock }: Needs,
  org: Org,
  { writeKey, region, by, replaces }: KeyChange,
): Promise<KeyChanged> {
  const before = accounts.get(org)
  if (!before || before.state === 'disconnected') return { is: 'gone' }
  const shown = await shownKey(keyring, before)
  if (replaces !== undefined && replaces !== (shown?.fingerprint ?? noKey))
    return { is: 'stale', ...(shown ? { now: shown } : {}) }
  const at = clock.now()
  const sealed = writeKey === undefined ? before.writeKey : await sealWriteKey(keyring, org, writeKey, { by, at })
  if (!sealed) return { is: 'gone' }
  const fingerprint = writeKey === undefined ? shown!.fingerprint : fingerprintOf(writeKey)
  const about = `fingerprint ${fingerprint}, region ${region}`
  let isSaved = false
  const edit = (stored: Install) => {
    isSaved = stored.state !== 'disconnected' && isSameKey(stored, before)
    return isSaved ? keyChanged(changeSettings({ ...stored, writeKey: sealed }, { region })) : undefined
  }
  const after = await accounts.change(org, at, edit, {
    audit: () => ({ who: by, act: writeKey === undefined ? 'changedRegion' : 'setKey', about }),
  })
  if (isSaved) return { is: 'saved', fingerprint }
  const now = await shownKey(keyring, after)
  return { is: 'stale', ...(now ? { now } : {}) }
}

function isSameKey(one: Install, other: Install): boolean {
  if (!one.writeKey || !other.writeKey) return one.writeKey === other.writeKey
  return Buffer.compare(one.writeKey, other.writeKey) === 0
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
  segment: { us: string; eu: string; cdn: string }
  clock: Clock
  random: Random
}

/** Sends one event with this key, and looks whether Segment's own files know it. */
export async function testWriteKey(
  { send, segment, clock, random }: TestNeeds,
  writeKey: string,
  region: Region,
): Promise<KeyTested> {
  const now = clock.now()
  const messageId = `drift-test-${timeOrderedId(random, now)}`
  const text = textOf(testCall(messageId, now))
  const run = [{ text }]
  const [answered, settings] = await Promise.all([
    send(batchRequest(segment[region], writeKey, run, now)),
    send(settingsRequest(segment.cdn, writeKey)),
  ])
  return { messageId, verdict: judge(answered, now), sign: judgeSettings(settings) }
}
