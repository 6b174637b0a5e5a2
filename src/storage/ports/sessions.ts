/** What a browser holds for a while. */
import type { Org } from './entry.ts'

/** Something short-lived that a browser holds: a session, a link to sign in, or an OAuth state that was used. */
export interface Ticket {
  kind: 'session' | 'link' | 'state'
  /** A digest of what its holder presents; that itself is kept nowhere. */
  id: string
  /** Whom it is for; '' for a state. */
  org: Org
  /** Who its holder is, in words for the audit. */
  who: string
  /** When it was made: of a session, when its holder proved to be an admin. */
  at: number
  /** From then on it is as if it were not there, as it is more than a minute before `at`. */
  until: number
}

type Named = Pick<Ticket, 'kind' | 'id'>

export interface Tickets {
  /** Keeps it; not if there has been one of this kind and id, nor if `max` of the kind are there at its `at`. */
  issue(ticket: Ticket, max?: number): Promise<'issued' | 'there' | 'full'>
  get(ticket: Named, now: number): Promise<Ticket | undefined>
  /**
   * Gives it to one caller only, however many ask at once, and takes it away. In the same moment `successor` takes its
   * place, so that revoking first the one kind and then the other leaves neither.
   */
  redeem(ticket: Named, now: number, successor?: Ticket): Promise<Ticket | undefined>
  /** Makes it last until then; false when it is not there. */
  extend(ticket: Named, until: number): Promise<boolean>
  /** Takes away all of this kind that an account has or, where none is named, that there are; resolves to them. */
  revoke(kind: Ticket['kind'], org?: Org): Promise<Ticket[]>
  /** Takes away what has run out; resolves to how many. */
  sweep(now: number): Promise<number>
}
