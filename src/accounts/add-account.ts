/** Adding an account, or giving it what standard input or the settings name: a grant, a write key, a region. */
import type { Clock } from '../lib/clock.ts'
import { isSamePlace, type Places } from '../segment/place.ts'
import type { Region } from '../segment/region.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import { destinationProblem } from './destination-actions.ts'
import { changeDestination, firstOf } from './destinations.ts'
import { type Grant, grantFields, openGrant } from './grant.ts'
import type { Keyring } from './keyring.ts'
import { assertUnrepeated } from './repeated.ts'
import { configured, reasonOf } from './state.ts'
import { fingerprintOf, savedWriteKey, sealWriteKey, unusualAt } from './write-key.ts'

export interface Named {
  grant?: Grant
  writeKey?: string
  region?: Region
}

interface Needs {
  accounts: Accounts
  keyring: Keyring
  clock: Clock
  places?: Places
  /** Whose first destination the settings give: single-account mode. */
  singleOrg?: Org
}

/**
 * What is named takes the place of what is stored; a write key and a region are those of its first destination. Where that
 * changes nothing, nothing is saved or recorded. Throws a Problem where the settings give that destination.
 */
export async function configureAccount(needs: Needs, org: Org, named: Named, who: string): Promise<Install> {
  const isMoved = named.writeKey !== undefined || named.region !== undefined
  if (isMoved && needs.singleOrg === org) throw destinationProblem(org, 'fixed')
  return configure(needs, org, named, who)
}

async function configure(
  { accounts, keyring, clock, ...needs }: Needs,
  org: Org,
  { grant, writeKey, region }: Named,
  who: string,
): Promise<Install> {
  const now = clock.now()
  const place = region === undefined ? {} : { region, endpoint: undefined }
  const isMoved = (stored: Install) => region !== undefined && !isSamePlace(firstOf(stored), { region })
  const isOther = (stored: Install) =>
    writeKey !== undefined && firstOf(stored).confirmedKey !== fingerprintOf(writeKey)
  const differs = (stored: Install, next: Install) => [
    ...(grant ? ['grant'] : []),
    ...(writeKey === undefined ? [] : [`write key with fingerprint ${fingerprintOf(writeKey)}`]),
    ...(isMoved(stored) ? [`region ${region}`] : []),
    ...(isSameState(next, stored) ? [] : [`state ${next.state}`]),
  ]
  const edit = async (stored: Install) => {
    // Its key may have been forgotten, also a moment ago by another process.
    await keyring.reload()
    // When the grant of before had to be refreshed says nothing of this one.
    const { refreshAt, ...rest } = stored
    const kept = grant || refreshAt === undefined ? rest : { ...rest, refreshAt }
    const { number } = firstOf(stored)
    if (!stored.unreadable) {
      const to = { ...firstOf(stored), ...place }
      if (writeKey === undefined) await unusualAt(keyring, org, firstOf(stored), to)
      await assertUnrepeated({ keyring, ...needs }, stored, { number, place: to, writeKey })
    }
    const fields = grant ? await grantFields(keyring, org, grant, now) : {}
    const key = writeKey === undefined ? {} : { key: await sealWriteKey(keyring, org, number, writeKey) }
    const named = changeDestination({ ...kept, ...fields }, number, {
      ...key,
      ...place,
      // That its test event was seen is known of the key of before, at the place of before.
      ...(isMoved(stored) || isOther(stored) ? { confirmedKey: undefined } : {}),
    })
    const next = configured(named, grant !== undefined)
    return differs(stored, next).length > 0 ? next : undefined
  }
  const saved = await accounts.change(org, now, edit, {
    audit: (before, after) => ({ who, act: 'configured', about: differs(before, after).join(', ') }),
  })
  return saved!
}

/** At each start in single-account mode the settings win. One that finds all as it should be changes nothing. */
export async function configureSingle(
  needs: Needs,
  { org, accessToken, writeKey, region }: { org: Org; accessToken: string; writeKey: string; region: Region },
): Promise<void> {
  const { accounts, keyring } = needs
  const stored = accounts.get(org)
  // It is held for that, and does not keep other accounts from being served.
  if (stored?.unreadable) return
  const isThere = stored !== undefined && stored.state !== 'disconnected'
  // One that does not open gives way to the one of the settings.
  const grant = isThere ? await openGrant(keyring, stored).catch(() => undefined) : undefined
  const key = isThere ? await savedWriteKey(keyring, org, firstOf(stored)) : undefined
  const named: Named = {
    ...(grant?.accessToken === accessToken && grant.refreshToken === undefined ? {} : { grant: { accessToken } }),
    ...(key === writeKey ? {} : { writeKey }),
    region,
  }
  await configure(needs, org, named, 'settings')
}

/** Never so for an account that is new. */
function isSameState(one: Install, other: Install): boolean {
  return other.generation > 0 && one.state === other.state && reasonOf(one) === reasonOf(other)
}
