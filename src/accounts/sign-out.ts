/** Ending every session and sign-in link, for when a browser or a link may be in the wrong hands. */
import type { Clock } from '../lib/clock.ts'
import { quantity } from '../lib/quantity.ts'
import type { Audit } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Ticket, Tickets } from '../storage/ports/sessions.ts'
import { record } from './audit.ts'

interface Needs {
  tickets: Tickets
  audit: Audit
  clock: Clock
}

/**
 * Ends them for one account or, where none is named, for all, and writes it to the audit of each account concerned. Every
 * replica looks a session up for each request, so none is good for the next one. Resolves to what was ended, in words.
 */
export async function signOutEverywhere({ tickets, audit, clock }: Needs, org: Org | undefined, who: string) {
  const at = clock.now()
  const taken = await endSessions(tickets, org)
  const ended = taken.filter(({ until }) => until > at)
  const endedOf = Map.groupBy(ended, (ticket) => ticket.org)
  for (const account of org === undefined ? endedOf.keys() : [org])
    await record(
      { audit, clock },
      { org: account, who, act: 'signedOutEverywhere', about: counted(endedOf.get(account) ?? []) },
    )
  return counted(ended)
}

/** Links first: one that is used meanwhile becomes a session in the same moment, and ends with the others. */
export async function endSessions(tickets: Tickets, org: Org | undefined): Promise<Ticket[]> {
  return [...(await tickets.revoke('link', org)), ...(await tickets.revoke('session', org))]
}

function counted(ended: readonly Ticket[]): string {
  const count = (wanted: Ticket['kind'], one: string) => {
    const many = ended.filter(({ kind }) => kind === wanted).length
    return quantity(many, one)
  }
  return `${count('session', 'session')} and ${count('link', 'sign-in link')}`
}
