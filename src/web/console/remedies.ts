/** What mends a reason: what to do about it, and the buttons and links that do it, on every page that names it. */
import { canResume, canRetry } from '../../accounts/retry.ts'
import { unproven } from '../../accounts/state.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
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
 * `connects`: whether the account can be connected in the browser.
 */
export function remediesOf(
  reason: string,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  connects = true,
  isFixed = false,
): Action[] {
  return [
    ...(reason === 'no_write_key' ? [enterKey] : []),
    ...(isMendedByKey(reason) && !isFixed ? [replaceKey] : []),
    ...(isMendedByConnecting(reason) && connects ? [reconnect] : []),
    ...(reason === unproven ? [disconnect] : []),
    ...(canResume(install) ? [resume] : []),
    ...(canRetry(install, lanes, now) ? [retry] : []),
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
