/** OneTrust: https://developer.onetrust.com/onetrust/docs/using-onetrust-groups-updated and its JavaScript API. */
import { type ConsentPage, openSaying } from './say.ts'

interface OneTrustPage extends ConsentPage {
  /** Groups that are active, as `,C0001,C0002,`. */
  OnetrustActiveGroups?: unknown
  OneTrust?: { IsAlertBoxClosed?(): boolean }
}

export interface OneTrustOptions {
  /** The group that allows it. Default: C0002, performance. */
  category?: string
}

/** Follows what the visitor chooses there: until the banner is answered, an inactive group is not yet a no. */
export function followOneTrust({ category = 'C0002' }: OneTrustOptions = {}, page = globalThis as never): void {
  const window: OneTrustPage = page
  const say = openSaying(window)
  const read = () => {
    const groups = window.OnetrustActiveGroups
    if (typeof groups !== 'string') return say('pending')
    if (groups.split(',').includes(category)) return say('granted')
    const { OneTrust } = window
    say(OneTrust?.IsAlertBoxClosed?.() ? 'denied' : 'pending')
  }
  window.addEventListener('OneTrustGroupsUpdated', read)
  read()
}
