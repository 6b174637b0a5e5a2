/** The inbox in SQLite, function by function: each is one part of the transaction that the worker has opened around it. */
import { walkOf } from '../forgetting.ts'
import { inbox as inboxOfBoth } from '../inbox.ts'
import type { Limits } from '../ports/inbox.ts'
import { append } from './append.ts'
import { claim, more } from './claim.ts'
import type { Database } from './database.ts'
import { follow } from './follow.ts'
import { nextDue, renew } from './lanes.ts'
import { settle } from './settle.ts'
import { inFile } from './statements.ts'

const alike = inFile(inboxOfBoth)

export const inbox = {
  ...alike,
  append,
  claim,
  more,
  renew,
  settle,
  nextDue,
  follow,
  expire: (db: Database, limits: Limits) => alike.expire(db, limits, walkOf(db)),
}
