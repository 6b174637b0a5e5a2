/** The engine's functions by port and name, as both threads and tests call them. */
import { alerts } from '../alerts.ts'
import { audit } from '../audit.ts'
import { jobs } from '../jobs.ts'
import { lookup } from '../lookup.ts'
import { ledger, vault } from '../records.ts'
import { tickets } from '../tickets.ts'
import { type Database, isLocked } from './database.ts'
import { examine } from './examine.ts'
import { inbox } from './inbox.ts'
import { logBytes, purge } from './purge.ts'
import { conversations, installs } from './records.ts'
import { risks } from './risks.ts'
import { indexStep } from './search-index.ts'
import { inFile } from './statements.ts'

type Work = (db: Database, ...args: never[]) => unknown
export const calls: Record<string, Record<string, Work>> = {
  inbox: inbox as unknown as Record<string, Work>,
  ledger: inFile(ledger),
  installs,
  vault: inFile(vault),
  conversations,
  lookup: inFile(lookup),
  audit: inFile(audit),
  tickets: inFile(tickets),
  jobs: inFile(jobs),
  alerts: inFile(alerts),
  storage: {
    check: (db: Database) => db.run('UPDATE places SET last = last'),
    index: indexStep,
    purge,
    isServed: (db: Database) => isLocked(db.path),
    logBytes: (db: Database) => logBytes(db.path),
    risks,
    examine,
  },
}
