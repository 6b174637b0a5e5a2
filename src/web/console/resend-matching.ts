/** Whether a list has something that can be resent, at whichever destination: the way from it to a preview of that. */
import { html } from 'hono/html'
import { deletionType } from '../../drift/envelope.ts'
import { failed } from '../../operations/redrive.ts'
import type { Destination, Org } from '../../storage/ports/entry.ts'
import type { Lookup, Query, ShownState, Tallied } from '../../storage/ports/lookup.ts'
import { addressOf, type Filter } from './query.ts'
import type { Html } from './ui/layout.ts'

type Found = Pick<Tallied, 'state' | 'reason'>

/** States of a list of which something may be resent; without one it is of all. */
const resendStates = ['', 'failed', 'not-recognized', 'delivered', 'ignored']

/** What is meant where a list with this filter is resent. */
function resentOf({ state }: Filter): readonly ShownState[] {
  return state === 'delivered' || state === 'ignored' ? [state] : failed
}

/**
 * `counted`: what the list has, as far as that was counted. The destinations that it is resent to are asked, one by one, only
 * where none of that can be resent.
 */
export async function canResend(
  { find }: Pick<Lookup, 'find'>,
  filter: Filter,
  query: Query & { org: Org },
  counted: readonly Found[],
  destinations: readonly Destination[],
): Promise<boolean> {
  if (!resendStates.includes(filter.state)) return false
  const states = resentOf(filter)
  const isResent = ({ state, reason }: Found) =>
    states.includes(state) && reason !== deletionType && (filter.reason === '' || reason === filter.reason)
  if (counted.some(isResent)) return true
  for (const destination of destinations) {
    const { entries } = await find({ ...query, states, notReason: deletionType, destination }, { limit: 1 })
    if (entries.length > 0) return true
  }
  return false
}

export function resendLink(filter: Filter): Html {
  return html`<a class="button quiet" href="${addressOf('/console/resend', filter, { preview: '1' })}">Resend matching</a>`
}
