/** What the sentences of a status say of an account's destinations: who is sent to, and what waits. */
import { destinationOf, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { pageOf } from './destination-address.ts'
import type { DestinationFacts, Facts, Status } from './status-facts.ts'
import { type Action, replaceKey } from './ui/actions.ts'
import { counted } from './ui/parts.ts'

/** How many events wait, and since when; of several destinations each has its own queue. */
export function kept(facts: Facts): Status['effect'] {
  const { install, lookingUp, oldestLookupAt, others } = facts
  const first = install && firstOf(install)
  const waitsAt = ({ queued, blocked }: DestinationFacts, at: string) => [
    ...(queued > 0 ? [`${counted(queued, 'event')} queued${at}`] : []),
    ...(blocked > 0 ? [`${counted(blocked, 'event')} blocked${at}`] : []),
  ]
  const each = [...(others ?? [])].flatMap(([number, one]) => waitsAt(one, ` for ${nameOf(install, number)}`))
  const parts = [
    ...waitsAt(facts, first && isOfSeveral(facts) ? ` for ${first.name}` : ''),
    ...each,
    ...(lookingUp > 0 ? [`${counted(lookingUp, 'event')} to be looked up`] : []),
  ]
  if (parts.length === 0) return { says: 'No events wait' }
  const waiting = [facts, ...(others?.values() ?? [])].map(({ oldestAt }) => oldestAt)
  const oldest = [...waiting, oldestLookupAt].filter((at) => at !== undefined)
  return { says: parts.join(', '), at: oldest.length === 0 ? undefined : Math.min(...oldest) }
}

export function isOfSeveral({ install }: Facts): boolean {
  return install !== undefined && destinationsOf(install).length > 1
}

function nameOf(install: Install | undefined, number: number): string {
  return (install && destinationOf(install, number)?.name) ?? `destination ${number}`
}

export function endpointIn({ install }: Facts): string | undefined {
  return install && firstOf(install).endpoint
}

/** Who is sent to first: by name where there are several. */
export function partnerIn(facts: Facts): string {
  return isOfSeveral(facts) ? firstOf(facts.install!).name : (endpointIn(facts) ?? 'Segment')
}

/** Where its write key is replaced: of several each has a page of its own. */
export function keyOf(facts: Facts): Action {
  return isOfSeveral(facts) ? { ...replaceKey, to: pageOf(firstOf(facts.install!)) } : replaceKey
}
