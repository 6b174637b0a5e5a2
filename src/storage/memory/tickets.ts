import { skewMsMax } from '../../lib/clock.ts'
import type { Ticket, Tickets } from '../ports.ts'
import type { State } from './state.ts'

export function ticketsOf({ tickets }: State): Tickets {
  const keyOf = ({ kind, id }: Pick<Ticket, 'kind' | 'id'>) => `${kind} ${id}`
  const live = (named: Pick<Ticket, 'kind' | 'id'>, now: number) => {
    const found = tickets.get(keyOf(named))
    return found && found.until > now && found.at <= now + skewMsMax ? { ...found } : undefined
  }
  const remove = (isGone: (ticket: Ticket) => boolean) => {
    const gone = [...tickets].filter(([, ticket]) => isGone(ticket))
    for (const [key] of gone) tickets.delete(key)
    return gone.map(([, ticket]) => ticket)
  }
  return {
    async issue(ticket, max) {
      if (tickets.has(keyOf(ticket))) return 'there'
      const there = [...tickets.values()].filter(({ kind, until }) => kind === ticket.kind && until > ticket.at)
      if (max !== undefined && there.length >= max) return 'full'
      tickets.set(keyOf(ticket), { ...ticket })
      return 'issued'
    },
    get: async (named, now) => live(named, now),
    async redeem(named, now, successor) {
      const found = live(named, now)
      if (found) tickets.delete(keyOf(named))
      if (found && successor) tickets.set(keyOf(successor), { ...successor })
      return found
    },
    async extend(named, until) {
      const found = tickets.get(keyOf(named))
      if (found) found.until = until
      return found !== undefined
    },
    revoke: async (kind, org) => remove((ticket) => ticket.kind === kind && (org ?? ticket.org) === ticket.org),
    sweep: async (now) => remove(({ until }) => until <= now).length,
  }
}
