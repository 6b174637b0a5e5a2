/**
 * What people do to an account's destinations. Each action checks, and saves the change and its audit entry in one write, as
 * those of actions.ts; a destination's write key and place are changed in change-key.ts, and retried in retry.ts.
 */
import type { Clock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { trimmed, unseenProblem } from '../lib/pasted.ts'
import { type Place, type Places, placeSaid } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber, Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { Act } from './audit.ts'
import {
  changeDestination,
  type Destination,
  destinationOf,
  destinationsOf,
  firstOf,
  nextNumber,
} from './destinations.ts'
import type { Keyring } from './keyring.ts'
import { assertOffered, assertUnrepeated, targetsOf } from './repeated.ts'
import { changeSettings, destinationsMax, settingsOf } from './settings.ts'
import { isLeaving, isThere, pausedAt, resumedAt } from './state.ts'
import { fingerprintOf, sealWriteKey } from './write-key.ts'

interface Needs {
  accounts: Accounts
  keyring: Keyring
  clock: Clock
  places?: Places
  /** Whose first destination the settings give: single-account mode. */
  singleOrg?: Org
}

/**
 * `gone`: the account or the destination is not there. `stale`: the account's destinations were changed meanwhile. `full`: it
 * has as many as it may. `last`: one must stay. `name_taken`: another one is called so. `same`: there was nothing to change.
 * `fixed`: the settings give it. `asked`, `not_allowed`: as for the account.
 */
export type DestinationDone =
  | { is: 'done'; install: Install; number: DestinationNumber }
  | { is: 'gone' | 'stale' | 'full' | 'last' | 'name_taken' | 'same' | 'fixed' | 'asked' | 'not_allowed' }

/** A name that a person has chosen: undefined where it can be one, else why not, as the end of a sentence. */
export function nameProblem(name: string): string | undefined {
  const text = trimmed(name)
  if (text === '') return 'is empty'
  if (text.length > nameLengthMax) return `is longer than ${nameLengthMax} characters`
  if (/^\d+$/.test(text)) return 'is a number, and destinations have numbers besides'
  return unseenProblem(text)
}

const nameLengthMax = 40

/**
 * Adds one. It gets what is received from now on. Where all others are paused, it begins paused. Throws a Problem where
 * another one has this key at this place, or the endpoint is not listed.
 */
export async function addDestination(
  needs: Needs,
  org: Org,
  { name: given, place, writeKey, who }: { name: string; place: Place; writeKey: string; who: string },
): Promise<DestinationDone> {
  const { accounts, keyring, clock } = needs
  const before = accounts.get(org)
  if (!before || !isThere(before)) return { is: 'gone' }
  const name = trimmed(given)
  assertOffered(needs.places, place)
  await assertUnrepeated(needs, before, { place, writeKey })
  const [at, number] = [clock.now(), nextNumber(before)]
  const key = await sealWriteKey(keyring, org, number, writeKey, { by: who, at })
  const fingerprint = fingerprintOf(writeKey)
  return save(
    needs,
    org,
    number,
    { who, act: 'addedDestination', about: `${name}, fingerprint ${fingerprint}, ${placeSaid(place)}` },
    (stored) => {
      if (targetsOf(stored) !== targetsOf(before)) return 'stale'
      const others = destinationsOf(stored)
      if (others.length >= destinationsMax) return 'full'
      if (isCalled(others, name)) return 'name_taken'
      const paused = others.every((one) => one.paused) ? { paused: true as const } : {}
      const endpoint = place.endpoint === undefined ? {} : { endpoint: place.endpoint }
      const added: Destination = { number, name, region: place.region, ...endpoint, key, ...paused }
      return changeSettings(stored, { destinations: [...others, added], lastDestination: number })
    },
  )
}

/** What waits for it is counted as expired there. */
export function removeDestination(
  needs: Needs,
  org: Org,
  number: DestinationNumber,
  who: string,
): Promise<DestinationDone> {
  return save(needs, org, number, { who, act: 'removedDestination' }, (stored) => {
    const rest = destinationsOf(stored).filter((one) => one.number !== number)
    if (rest.length === 0) return 'last'
    if (isFixed(needs, stored, number)) return 'fixed'
    return changeSettings(stored, { destinations: rest, lastDestination: settingsOf(stored).lastDestination })
  })
}

export function renameDestination(
  needs: Needs,
  org: Org,
  number: DestinationNumber,
  { name: given, who }: { name: string; who: string },
): Promise<DestinationDone> {
  const name = trimmed(given)
  return save(needs, org, number, { who, act: 'renamedDestination', about: `now ${name}` }, (stored) => {
    const others = destinationsOf(stored).filter((one) => one.number !== number)
    if (isCalled(others, name)) return 'name_taken'
    return destinationOf(stored, number)!.name === name ? 'same' : changeDestination(stored, number, { name })
  })
}

/** Nothing is sent there from now on; what comes in is kept. The others are sent to. */
export function pauseDestination(
  needs: Needs,
  org: Org,
  number: DestinationNumber,
  who: string,
): Promise<DestinationDone> {
  return save(needs, org, number, { who, act: 'paused' }, (stored) => pausedAt(stored, number) ?? 'same')
}

/** What waits is sent at once: see resumeNow in retry.ts, which says what that brought. */
export function resumeDestination(
  needs: Needs,
  org: Org,
  number: DestinationNumber,
  who: string,
): Promise<DestinationDone> {
  const edit = (stored: Install) => {
    if (isLeaving(stored)) return 'asked'
    if (stored.notAllowed) return 'not_allowed'
    return resumedAt(stored, number) ?? 'same'
  }
  return save(needs, org, number, { who, act: 'resumed' }, edit, true)
}

/** In single-account mode the settings say what the account's first destination is, at each start. */
export function isFixed({ singleOrg }: Pick<Needs, 'singleOrg'>, install: Install, number: DestinationNumber): boolean {
  return singleOrg === install.org && firstOf(install).number === number
}

type Refused = Exclude<DestinationDone['is'], 'done' | 'gone'>

/** Saves the change with its audit entry, which names the destination as it was called before, or why there is none. */
async function save(
  { accounts, clock }: Needs,
  org: Org,
  number: DestinationNumber,
  { who, act, about }: { who: string; act: Act; about?: string },
  edit: (stored: Install) => Install | Refused,
  asks = false,
): Promise<DestinationDone> {
  let refused: Refused | 'gone' = 'gone'
  let isSaved = false
  const noted = (stored: Install) => {
    const isHere = act === 'addedDestination' || destinationOf(stored, number) !== undefined
    const edited = isThere(stored) && isHere ? edit(stored) : 'gone'
    isSaved = typeof edited !== 'string'
    if (typeof edited === 'string') refused = edited
    return typeof edited === 'string' ? undefined : edited
  }
  const named = (install: Install) => destinationOf(install, number)?.name
  const install = await accounts.change(org, clock.now(), noted, {
    audit: (before, after) => {
      const name = named(before) ?? named(after)
      return { who, act, about: [`destination ${number} (${name})`, ...(about ? [about] : [])].join(': ') }
    },
    asks,
  })
  return isSaved && install ? { is: 'done', install, number } : { is: refused }
}

function isCalled(destinations: readonly Destination[], name: string): boolean {
  return destinations.some((one) => one.name.toLowerCase() === name.toLowerCase())
}

/** A refusal as a person reads it on the command line. */
export function destinationProblem(org: Org, is: Exclude<DestinationDone['is'], 'done'>): Problem {
  return refusals[is](`account ${org}: `)
}

const refusals: Readonly<Record<Exclude<DestinationDone['is'], 'done'>, (whose: string) => Problem>> = {
  gone: (whose) =>
    new Problem('destination_unknown', `${whose}there is no such destination`, {
      hint: '`destinations list` shows which there are',
    }),
  stale: (whose) =>
    new Problem('destinations_changed', `${whose}another process changed its destinations at the same moment`, {
      hint: 'do it again',
    }),
  full: (whose) =>
    new Problem('destinations_full', `${whose}it has ${destinationsMax} destinations, and may have no more`, {
      hint: 'remove one first',
    }),
  last: (whose) =>
    new Problem('destination_last', `${whose}this is its only destination, and one must stay`, {
      hint: 'add another one first',
    }),
  name_taken: (whose) =>
    new Problem('name_taken', `${whose}another destination has this name`, { hint: 'choose another name' }),
  same: (whose) => new Problem('nothing_to_change', `${whose}the destination is like that already`),
  fixed: (whose) =>
    new Problem('destination_fixed', `${whose}the settings say where this destination sends (DRIFT_ORG_ID)`, {
      hint: 'change them, or take DRIFT_ORG_ID out of them; it can be paused',
    }),
  asked: (whose) =>
    new Problem('still_asked', `${whose}Drift is being asked whether it has disconnected`, {
      hint: 'sending goes on by itself when it has not; without an answer for a day the account can be resumed',
    }),
  not_allowed: (whose) =>
    new Problem('not_allowed', `${whose}it is not listed in DRIFT_ORG_IDS_ALLOWED: nothing of it is sent`, {
      hint: 'list it there and restart the service: what was kept is sent then',
    }),
}
