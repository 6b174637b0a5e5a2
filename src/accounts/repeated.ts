/** What no two destinations of an account may share: a write key at one address, where each event would arrive twice. */
import { Problem } from '../lib/errors.ts'
import { addressOf, isSamePlace, type Place, type Places } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Destination as DestinationNumber } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import { type Destination, destinationsOf } from './destinations.ts'
import type { Keyring } from './keyring.ts'
import { savedWriteKey } from './write-key.ts'

interface Needs {
  keyring: Keyring
  /** Without the addresses, two places are compared by their names. */
  places?: Places
}

interface Wanted {
  /** Of the destination that is changed; absent of one that is added. */
  number?: DestinationNumber
  place: Place
  /** Absent: the key that it has. */
  writeKey?: string | undefined
}

/** Throws `destination_repeated` where another destination sends under this key to the same address. */
export async function assertUnrepeated(
  needs: Needs,
  install: Install,
  { number, place, writeKey }: Wanted,
): Promise<void> {
  const all = destinationsOf(install)
  const others = all.filter((one) => one.number !== number && isSameAddress(needs.places, one, place))
  if (others.length === 0) return
  const known = all.find((one) => one.number === number)
  const key = writeKey ?? (known && (await savedWriteKey(needs.keyring, install.org, known)))
  for (const other of others)
    if (key !== undefined && (await savedWriteKey(needs.keyring, install.org, other)) === key)
      throw repeated(install.org, other)
}

/** The same of all accounts at a start, when the settings may have given endpoints other addresses. */
export async function assertNoneRepeated(needs: Needs & { accounts: Accounts }): Promise<void> {
  for (const install of needs.accounts.all())
    for (const { number, region, endpoint } of destinationsOf(install).slice(1))
      await assertUnrepeated(needs, install, { number, place: { region, endpoint } })
}

/** Throws `endpoint_not_allowed` of an endpoint that DESTINATION_ENDPOINTS does not list. */
export function assertOffered(places: Places | undefined, place: Place): void {
  if (place.endpoint === undefined || (places && addressOf(places, place) !== undefined)) return
  throw new Problem('endpoint_not_allowed', 'the settings do not list this endpoint', {
    hint: 'DESTINATION_ENDPOINTS names those that may be chosen',
    exitCode: 2,
  })
}

/** Where all of the account's destinations send, and under which keys: whether it is still so when a change is saved. */
export function targetsOf(install: Install): string {
  return JSON.stringify(
    destinationsOf(install).map(({ number, key, region, endpoint }) => [number, key, region, endpoint]),
  )
}

function isSameAddress(places: Places | undefined, one: Place, other: Place): boolean {
  return places ? addressOf(places, one) === addressOf(places, other) : isSamePlace(one, other)
}

function repeated(org: string, { number, name }: Destination): Problem {
  return new Problem(
    'destination_repeated',
    `account ${org}: destination ${number} (${name}) sends to the same place under the same write key`,
    { hint: 'each event would arrive there twice: give this one a write key of its own', exitCode: 78 },
  )
}
