/**
 * What people do to an account, in the console, on the command line and in the settings alike. Each action checks, and saves
 * the change and its audit entry in one write (`Accounts.change`); what was saved wakes the pipeline (`Accounts.onChange`).
 * What changes something else than the account is recorded when it is done. The longer actions have files of their own:
 * retry.ts, add-account.ts, change-key.ts, connect-finish.ts, disconnect.ts, sign-out.ts.
 */
import { deletionType, disconnectType } from '../drift/envelope.ts'
import type { Clock } from '../lib/clock.ts'
import { quantity } from '../lib/quantity.ts'
import { isSamePlace, type Place } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination, Org } from '../storage/ports/entry.ts'
import type { Shown } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { Accounts } from './accounts.ts'
import { contactDigest, type NewAuditEntry, record } from './audit.ts'
import { changeDestination, destinationOf, destinationsOf } from './destinations.ts'
import type { Keyring } from './keyring.ts'
import { changeSettings, settingsOf } from './settings.ts'
import { doubted, holdOf, isLeaving, isThere, paused, resumed } from './state.ts'

interface Needs {
  accounts: Accounts
  storage: Pick<Storage, 'lookup'>
  clock: Clock
}

/**
 * `asked`: not resumed, because Drift is being asked whether the account has disconnected. `not_allowed`: not resumed,
 * because the settings do not list it. `not_paused`: there was nothing to resume. `gone`: it is not there.
 */
export type Done = { is: 'done'; install: Install } | { is: 'asked' | 'not_allowed' | 'not_paused' | 'gone' }

/** Nothing is sent from now on; what comes in is kept. Of a paused account nothing changes, and nothing is recorded. */
export async function pauseAccount(needs: Needs, org: Org, who: string): Promise<Done> {
  const done = await change(needs, org, paused, { who, act: 'paused' })
  const known = needs.accounts.get(org)
  return done.is === 'asked' && known ? { is: 'done', install: known } : done
}

/** What waits is sent at once: see resumeNow in retry.ts, which says what that brought. */
export async function resumeAccount(needs: Needs, org: Org, who: string): Promise<Done> {
  const by = { who, act: 'resumed' } as const
  const known = needs.accounts.get(org)
  if (known && holdOf(known) === 'not_allowed') return { is: 'not_allowed' }
  if (known && isThere(known) && !isResumable(known)) return { is: 'not_paused' }
  const done = await change(needs, org, resumed, by, true)
  if (done.is !== 'asked' || (await isStillAsked(needs.storage, org))) return done
  // The webhook is not there any more, so Drift would never be asked: only this person can say.
  return change(needs, org, (install) => resumed(doubted(install) ?? install), by, true)
}

/** Whether there is something that a person could end: a pause, a refusal, or the doubt whether it has left. */
export function isResumable(install: Install): boolean {
  const isOfOne = destinationsOf(install).some(({ paused, reason }) => paused || reason !== undefined)
  const isHeld = install.state === 'needs_attention' || isLeaving(install) || isOfOne
  return isThere(install) && isHeld
}

/** Whether Drift has said that the account disconnected, and has not answered yet whether it has. */
export async function isStillAsked({ lookup }: Pick<Storage, 'lookup'>, org: Org): Promise<boolean> {
  const { entries } = await lookup.find({ org, type: disconnectType, states: ['asking'] }, { limit: 1 })
  return entries.length > 0
}

/**
 * Which types of events are not sent from now on. False, and nothing saved, when the account is not any more what the
 * form showed, at that generation.
 */
export async function chooseEvents(
  { accounts, clock }: Pick<Needs, 'accounts' | 'clock'>,
  org: Org,
  { offTypes, generation, who }: { offTypes: string[]; generation: string; who: string },
): Promise<boolean> {
  let isStale = false
  const edit = (stored: Install) => {
    isStale = String(stored.generation) !== generation || stored.state === 'disconnected'
    return isStale ? undefined : changeSettings(stored, { offTypes })
  }
  const about = offTypes.length === 0 ? 'all of them are sent' : `not sent: ${offTypes.join(', ')}`
  await accounts.change(org, clock.now(), edit, { audit: () => ({ who, act: 'choseEvents', about }) })
  return !isStale
}

/**
 * An admin has seen the test event of this write key at the destination, which cannot be known otherwise. False, and nothing
 * saved, when the destination is not there or sends elsewhere by now.
 */
export async function confirmKey(
  { accounts, clock }: Pick<Needs, 'accounts' | 'clock'>,
  org: Org,
  {
    destination,
    fingerprint,
    place,
    who,
  }: { destination: Destination; fingerprint: string; place: Place; who: string },
): Promise<boolean> {
  let isHere = false
  const edit = (stored: Install) => {
    const one = stored.state === 'disconnected' ? undefined : destinationOf(stored, destination)
    isHere = one !== undefined && isSamePlace(place, one)
    return isHere ? changeDestination(stored, destination, { confirmedKey: fingerprint }) : undefined
  }
  const about = `fingerprint ${fingerprint}`
  await accounts.change(org, clock.now(), edit, { audit: () => ({ who, act: 'confirmedTest', about }) })
  return isHere
}

/**
 * Which rules of alerts are silent from now on, and when events count as late; what is not given stays. False, and nothing
 * saved, when the account is not there or, where a generation is named, not any more what the form showed.
 */
export async function chooseAlerts(
  { accounts, clock }: Pick<Needs, 'accounts' | 'clock'>,
  org: Org,
  {
    generation,
    who,
    ...chosen
  }: { alertsOff?: string[]; alertDelayMinutes?: number; generation?: string; who: string },
): Promise<boolean> {
  let isSaved = false
  const edit = (stored: Install) => {
    isSaved = isThere(stored) && (generation === undefined || String(stored.generation) === generation)
    return isSaved ? changeSettings(stored, chosen) : undefined
  }
  const audit = (_: Install, after: Install) => {
    const { alertsOff, alertDelayMinutes } = settingsOf(after)
    const off = alertsOff.length === 0 ? 'all rules are on' : `off: ${alertsOff.join(', ')}`
    return { who, act: 'choseAlerts', about: `${off}; late after ${alertDelayMinutes} minutes` } as const
  }
  await accounts.change(org, clock.now(), edit, { audit })
  return isSaved
}

/** Whether the account is compared with Drift once a day. False, and nothing saved, when it is not there. */
export async function chooseDaily(
  { accounts, clock }: Pick<Needs, 'accounts' | 'clock'>,
  org: Org,
  { isOn, who }: { isOn: boolean; who: string },
): Promise<boolean> {
  const edit = (stored: Install) =>
    isThere(stored) && settingsOf(stored).dailyReconcile !== isOn
      ? changeSettings(stored, { dailyReconcile: isOn })
      : undefined
  const about = isOn ? 'every day' : 'not every day'
  const install = await accounts.change(org, clock.now(), edit, { audit: () => ({ who, act: 'choseDaily', about }) })
  return install !== undefined && isThere(install)
}

/** `erase` takes a person's events away; resolves to what it did, and to the name that the audit has for the person. */
export async function erasePerson<Erased extends { entries: number; conversations: number }>(
  { storage, keyring, clock }: { storage: Pick<Storage, 'audit'>; keyring: Keyring; clock: Clock },
  erase: () => Promise<Erased>,
  { org, contact, who }: { org: Org; contact: string; who: string },
): Promise<Erased> {
  const erased = await erase()
  const about = `contact ${contactDigest(keyring, org, contact)}: ${quantity(erased.entries, 'event')}, ${quantity(erased.conversations, 'conversation')}`
  await record({ ...storage, clock }, { org, who, act: 'erasedPerson', about })
  return erased
}

/** `allow` lets history bring in again what is at Drift of a person who was erased. */
export async function allowPerson(
  { storage, keyring, clock }: { storage: Pick<Storage, 'audit'>; keyring: Keyring; clock: Clock },
  allow: () => Promise<void>,
  { org, contact, who }: { org: Org; contact: string; who: string },
): Promise<void> {
  await allow()
  const about = `contact ${contactDigest(keyring, org, contact)}`
  await record({ ...storage, clock }, { org, who, act: 'allowedPerson', about })
}

/** Whether it is a request that a person wants their data deleted, and still open. */
export function isOpenRequest({ state, reason }: Pick<Shown, 'state' | 'reason'>): boolean {
  return state === 'quarantined' && reason === deletionType
}

/** Takes the request off the list, a person having acted on it; false when the account has no such open request. */
export async function handleRequest(
  { storage, clock }: { storage: Pick<Storage, 'lookup' | 'inbox' | 'audit'>; clock: Clock },
  org: Org,
  message: string,
  who: string,
): Promise<boolean> {
  const [shown] = (await storage.lookup.find({ org, message }, { limit: 1 })).entries
  if (!shown || !isOpenRequest(shown) || (await storage.inbox.take(org, [shown.id])) === 0) return false
  await record({ ...storage, clock }, { org, who, act: 'handledRequest', about: message })
  return true
}

async function change(
  { accounts, clock }: Pick<Needs, 'accounts' | 'clock'>,
  org: Org,
  edit: (install: Install) => Install | undefined,
  entry: NewAuditEntry,
  asks = false,
): Promise<Done> {
  let isChanged = false
  const noted = (stored: Install) => {
    const edited = edit(stored)
    isChanged = edited !== undefined
    return edited
  }
  const install = await accounts.change(org, clock.now(), noted, { audit: () => entry, asks })
  if (!install || !isThere(install)) return { is: 'gone' }
  return isChanged ? { is: 'done', install } : { is: 'asked' }
}
