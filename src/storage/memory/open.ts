import { Problem } from '../../lib/errors.ts'
import type { Storage } from '../ports.ts'
import { inboxOf } from './inbox.ts'
import { jobsOf } from './jobs.ts'
import { lookupOf } from './lookup.ts'
import { auditOf, conversationsOf, installsOf, ledgerOf, vaultOf } from './records.ts'
import { emptyState, type State } from './state.ts'
import { ticketsOf } from './tickets.ts'

/** A store that forgets everything when it is closed. No DATABASE_URL names it: it keeps none of the promises of 200. */
export function openForgetful(state: State = emptyState()): Storage {
  return {
    inbox: inboxOf(state),
    ledger: ledgerOf(state),
    installs: installsOf(state),
    vault: vaultOf(state),
    conversations: conversationsOf(state),
    lookup: lookupOf(state),
    audit: auditOf(state),
    tickets: ticketsOf(state),
    jobs: jobsOf(state),
    onChange() {},
    onDue() {},
    isServed: async () => true,
    broken: new Promise(() => {}),
    async check() {},
    purge: async () => 'done',
    logBytes: async () => 0,
    async backup() {
      throw new Problem('backup_elsewhere', 'this store keeps nothing, so there is nothing to copy')
    },
    examine: async () => [],
    risks: async () => [],
    async close() {},
  }
}
