/** The inbox in PostgreSQL, but for what open.ts watches. */
import { walkOf } from '../forgetting.ts'
import { inbox as inboxOfBoth } from '../inbox.ts'
import type { Inbox } from '../ports/inbox.ts'
import type { Database } from './database.ts'
import { follow, nextDue, renew } from './lanes.ts'
import { atServer } from './statements.ts'

export function inboxOf(db: Database): Omit<Inbox, 'append' | 'claim' | 'more' | 'settle'> {
  const alike = atServer(db, inboxOfBoth)
  return {
    ...alike,
    renew: (lease, until) => renew(db, lease, until),
    nextDue: (lane, holder) => nextDue(db, lane, holder),
    follow: (lanes, now) => follow(db, lanes, now),
    expire: (limits) => alike.expire(limits, walkOf(db)),
  }
}
