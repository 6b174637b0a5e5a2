/** Comparing with Drift by itself, once a day, for the accounts that have it switched on. */
import type { Accounts } from '../../accounts/accounts.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { settingsOf } from '../../accounts/settings.ts'
import type { Clock } from '../../lib/clock.ts'
import { codeOf } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Storage } from '../../storage/ports/storage.ts'
import type { JobShown } from '../jobs.ts'
import { isDryRun } from './say.ts'
import { shownHistory, startHistory } from './start.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A comparison looks back so far: one that was missed, or a webhook that came late, is found by the next ones. */
const windowMs = 7 * dayMs
/** What is written in the audit as the one who wanted it. */
export const dailyWho = 'this service, daily'

interface Needs {
  accounts: Pick<Accounts, 'all'>
  storage: Pick<Storage, 'jobs' | 'audit'>
  keyring: Pick<Keyring, 'identity'>
  clock: Clock
  log: Log
  /** There is a job to be begun. */
  wakeJobs(): void
}

/** Looks every hour; resolves, when the answer is called, once a look under way has ended. */
export function startDaily(needs: Needs): () => Promise<void> {
  let stopped = false
  let cancel = () => {}
  let round = Promise.resolve()

  function start(): void {
    round = beginDaily(needs)
      .catch((error: unknown) => needs.log.warn('daily_reconcile_failed', { code: codeOf(error) }))
      .then(() => {
        if (!stopped) cancel = needs.clock.after(hourMs, start)
      })
  }

  start()
  return async () => {
    stopped = true
    cancel()
    await round
  }
}

/**
 * Begins today's comparison of each account that has none yet. The job's id follows from account and day, so of several
 * replicas that look at once one makes it. Where a backfill of the account is under way, the next look begins it.
 */
export async function beginDaily({ accounts, storage, keyring, clock, wakeJobs }: Needs): Promise<void> {
  const now = clock.now()
  let hasBegun = false
  for (const install of accounts.all()) {
    if (!isOn(install)) continue
    const { org, createdAt } = install
    const id = dailyId(keyring, org, now)
    const window = { from: Math.max(createdAt, now - windowMs), to: now }
    const wanted = { id, kind: 'reconcile', org, who: dailyWho, dryRun: true, ...window } as const
    hasBegun = (await startHistory({ ...storage, clock }, wanted)) === 'created' || hasBegun
  }
  if (hasBegun) wakeJobs()
}

function isOn(install: Install): boolean {
  return install.state !== 'disconnected' && !install.unreadable && settingsOf(install).dailyReconcile
}

function dailyId(keyring: Pick<Keyring, 'identity'>, org: Org, now: number): string {
  const day = new Date(now).toISOString().slice(0, 10)
  return keyring.identity(`daily reconcile\n${org}\n${day}`).toString('hex').slice(0, 12)
}

/** What the account's last comparison has found missing for no known reason, unless something was sent since. */
export async function stillMissing(
  jobs: Storage['jobs'],
  org: Org,
): Promise<{ job: JobShown; count: number } | undefined> {
  const ended = (await shownHistory(jobs, org, 50)).filter(({ state }) => state === 'done')
  const [last] = ended.filter((job) => job.kind === 'reconcile' || !isDryRun(job))
  const count = last?.counts.why_unknown ?? 0
  return last && last.kind === 'reconcile' && isDryRun(last) && count > 0 ? { job: last, count } : undefined
}
