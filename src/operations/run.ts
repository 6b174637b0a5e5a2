/** What goes on beside the pipeline for as long as a service runs: maintenance, and steps of the clock undone. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Grants } from '../accounts/grant.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Storage } from '../storage/ports.ts'
import { catchingUp } from './catch-up.ts'
import { startInStep, watchSteps } from './clock-steps.ts'
import { keepUp } from './maintenance.ts'

interface Needs {
  storage: Pick<Storage, 'inbox' | 'ledger' | 'lookup' | 'tickets' | 'purge'>
  accounts: Accounts
  grants: Grants
  retentionDays: number
  clock: Clock
  log: Log
  /** Called when something may be due now that was not before. */
  wake(): void
}

/** Resolves when what an earlier clock has written is in line with the present one: the lanes may start then. */
export async function startOperations({ storage, accounts, grants, retentionDays, clock, log, wake }: Needs) {
  const { inbox, lookup, tickets } = storage
  const stepping = { inbox, clock, log, wake }
  await startInStep(lookup, stepping)
  const { mayDelete, stop } = watchSteps(stepping)
  const purge = () => storage.purge()
  const catchUp = catchingUp({ accounts, storage, clock, log, wake })
  const stopMaintenance = keepUp({ inbox, tickets, grants, catchUp, purge, clock, log, retentionDays, mayDelete })
  return {
    /** Resolves when what is under way has ended. */
    stop: async () => void (await Promise.all([stopMaintenance(), stop()])),
  }
}
