import type { Storage } from '../ports.ts'
import { inboxOf } from './inbox.ts'
import { conversationsOf, installsOf, ledgerOf, vaultOf } from './records.ts'
import { emptyState, type State } from './state.ts'

/** A store that forgets everything when it is closed. No DATABASE_URL names it: it keeps none of the promises of 200. */
export function openForgetful(state: State = emptyState()): Storage {
  return {
    inbox: inboxOf(state),
    ledger: ledgerOf(state),
    installs: installsOf(state),
    vault: vaultOf(state),
    conversations: conversationsOf(state),
    onChange() {},
    broken: new Promise(() => {}),
    async check() {},
    async close() {},
  }
}
