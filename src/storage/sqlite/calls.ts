/** The engine's functions by port and name, as both threads and tests call them. */
import { alerts } from './alerts.ts'
import { type Database, isLocked } from './database.ts'
import { examine } from './examine.ts'
import { inbox } from './inbox.ts'
import { jobs } from './jobs.ts'
import * as lookup from './lookup.ts'
import { logBytes, purge } from './purge.ts'
import { audit, conversations, installs, ledger, vault } from './records.ts'
import { risks } from './risks.ts'
import { tickets } from './tickets.ts'

type Work = (db: Database, ...args: never[]) => unknown
export const calls: Record<string, Record<string, Work>> = {
  inbox: inbox as unknown as Record<string, Work>,
  ledger,
  installs,
  vault,
  conversations,
  lookup: lookup as unknown as Record<string, Work>,
  audit,
  tickets,
  jobs,
  alerts: alerts as unknown as Record<string, Work>,
  storage: {
    check: (db: Database) => db.run('UPDATE places SET last = last'),
    index: lookup.indexStep,
    purge,
    isServed: (db: Database) => isLocked(db.path),
    logBytes: (db: Database) => logBytes(db.path),
    risks,
    examine,
  },
}
