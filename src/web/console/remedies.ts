/** What mends a reason: what to do about it, and the buttons and links that do it, on every page that names it. */
import { type Destination as DestinationSettings, destinationOf, destinationsOf } from '../../accounts/destinations.ts'
import { canResume, canRetry } from '../../accounts/retry.ts'
import { unproven } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Destination } from '../../storage/ports/entry.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { pageOf } from './destination-address.ts'
import { type Action, disconnect, enterKey, reconnect, replaceKey, resume, retry } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'

/** What the admins of an account can do themselves, where the operator's settings do not rule it. */
export interface Rights {
  /** Connect it in the browser. */
  connects: boolean
  /** The operator's settings rule the write key. */
  isFixed: boolean
}

/**
 * Every remedy that the reason's text names, and those that help whatever it is: each only where it does something.
 * `connects`: whether the account can be connected in the browser. `number`: of the destination that refuses, if one does.
 */
export function remediesOf(
  reason: string,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  connects = true,
  isFixed = false,
  number?: Destination,
): Action[] {
  const one = install && number !== undefined ? destinationOf(install, number) : undefined
  const isOfSeveral = install !== undefined && destinationsOf(install).length > 1
  if (one && isOfSeveral)
    return remediesAt(reason, install!, lanes, now, one).filter(({ label }) => !isFixed || label !== replaceKey.label)
  return [
    ...(reason === 'no_write_key' ? [enterKey] : []),
    ...(isMendedByKey(reason) && !isFixed ? [replaceKey] : []),
    ...(isMendedByConnecting(reason) && connects ? [reconnect] : []),
    ...(reason === unproven ? [disconnect] : []),
    ...(canResume(install) ? [resume] : []),
    ...(canRetry(install, lanes, now) ? [retry] : []),
  ]
}

/** The same of one of several destinations: the others are left alone. */
function remediesAt(
  reason: string,
  install: Install,
  lanes: readonly LaneShown[],
  now: number,
  one: DestinationSettings,
): Action[] {
  const { number } = one
  return [
    ...(reason === 'no_write_key' ? [{ ...enterKey, to: pageOf(one) }] : []),
    ...(isMendedByKey(reason) ? [{ ...replaceKey, to: pageOf(one) }] : []),
    ...(reason === unproven ? [disconnect, ...(canResume(install) ? [resume] : [])] : []),
    ...(canResume(install, number) ? [{ ...resume, destination: number }] : []),
    ...(canRetry(install, lanes, now, number) ? [{ ...retry, destination: number }] : []),
  ]
}

/** What to do about a reason, at an endpoint where one is named, in whole sentences: nothing that this account's admins cannot do. */
export function todoOf(reason: string, { connects, isFixed }: Rights, endpoint?: string): string {
  const isOperators = (isMendedByKey(reason) && isFixed) || (isMendedByConnecting(reason) && !connects)
  return isOperators ? `Contact the operator of this service, mention ${reason}.` : adviceAt(reason, endpoint).todo
}

/** Another write key, or the same one saved once more, can end it. */
export function isMendedByKey(reason: string): boolean {
  return /^write_key_|^segment_(401|403|refuses_all|success_false|request_invalid)$/.test(reason)
}

export function isMendedByConnecting(reason: string): boolean {
  return /^(grant_dead|drift_(token_refused|forbidden|request_invalid|other_account))$|^disconnected$/.test(reason)
}
