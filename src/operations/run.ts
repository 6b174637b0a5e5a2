/** What goes on beside the pipeline for as long as a service runs: maintenance, jobs, and steps of the clock undone. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Grants } from '../accounts/grant.ts'
import type { Keyring } from '../accounts/keyring.ts'
import type { EventPage } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { keeping } from '../pipeline/keep.ts'
import { trimBodies } from '../pipeline/trim.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { catchingUp } from './catch-up.ts'
import { startInStep, watchSteps } from './clock-steps.ts'
import { startDaily } from './history/daily.ts'
import { historyKind } from './history/job.ts'
import { keepUp } from './maintenance.ts'
import { redriveKind } from './redrive-job.ts'
import { startJobs } from './run-jobs.ts'

interface Needs {
  storage: Pick<Storage, 'audit' | 'conversations' | 'inbox' | 'jobs' | 'ledger' | 'lookup' | 'tickets' | 'purge'>
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  accounts: Accounts
  grants: Grants
  retentionDays: number
  /** How Drift is asked for what happened before. */
  send: Send
  driftUrl: string
  random: Random
  clock: Clock
  log: Log
  /** Called when something may be due now that was not before. */
  wake(): void
}

/** Resolves when the times that an earlier clock wrote are corrected: the lanes may start then. */
export async function startOperations(needs: Needs) {
  const { storage, keyring, accounts, catalogue, grants, retentionDays, clock, log, wake } = needs
  const { inbox, jobs, lookup, tickets } = storage
  const stepping = { inbox, clock, log, wake }
  await startInStep(lookup, stepping)
  const { mayDelete, stop } = watchSteps(stepping)
  const purge = async () => {
    await trimBodies({ inbox, keyring, clock })
    return storage.purge()
  }
  const catchUp = catchingUp({ accounts, storage, clock, log, wake })
  const stopMaintenance = keepUp({ inbox, jobs, tickets, grants, catchUp, purge, clock, log, retentionDays, mayDelete })
  const history = { ...needs, ...storage, keep: keeping({ inbox, keyring, clock }), driftUrl: needs.driftUrl, wake }
  const kinds = [
    redriveKind({ catalogue, keyring, accounts, lookup, inbox, clock }, wake),
    historyKind('backfill', history),
    historyKind('reconcile', history),
  ]
  const runner = startJobs({ jobs, kinds, clock, log })
  const stopDaily = startDaily({ accounts, storage, keyring, clock, log, wakeJobs: runner.wake })
  return {
    /** There may be a job to be begun. */
    wakeJobs: runner.wake,
    /** Resolves when what is under way has ended. */
    stop: async () => void (await Promise.all([stopDaily(), runner.stop(), stopMaintenance(), stop()])),
  }
}
