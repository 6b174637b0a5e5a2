/** What must be done now and then, whether or not anything arrives: grants kept alive, what has outlived its time. */

import type { Grants } from '../accounts/grant.ts'
import { deletionType } from '../drift/envelope.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { rememberMs } from '../pipeline/receive.ts'
import type { Inbox, Limits } from '../storage/ports/inbox.ts'
import type { Jobs } from '../storage/ports/jobs.ts'
import type { Tickets } from '../storage/ports/sessions.ts'
import type { Purged } from '../storage/ports/storage.ts'

const everyMs = 10_000
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Events of accounts not installed are held for a day, within 64 MiB in all. */
const notInstalledMs = dayMs
const notInstalledBytesMax = 64 * 1024 * 1024
/** Dead and quarantined ones stay 30 days. */
const failedMs = 30 * dayMs

interface Needs {
  inbox: Inbox
  jobs: Pick<Jobs, 'sweep'>
  tickets: Tickets
  grants: Grants
  clock: Clock
  log: Log
  retentionDays: number
  /** Events go on that nothing holds any more: before any expire. */
  catchUp(): Promise<void>
  /** Of the store: what was erased is to be readable nowhere. */
  purge(): Promise<Purged>
  /** Whether the clock can be trusted with deleting what it calls old. */
  mayDelete(): boolean
}

export function limitsAt(now: number, retentionDays: number): Limits {
  return {
    now,
    youngAfter: now - rememberMs,
    notInstalledBefore: now - notInstalledMs,
    notInstalledBytesMax,
    deliveredBefore: now - retentionDays * dayMs,
    failedBefore: now - failedMs,
    // A person must have handled it.
    kept: [deletionType],
    minutesBefore: now - 3 * hourMs,
    hoursBefore: now - 8 * dayMs,
  }
}

/** Starts at once and goes on until the answer is called; that resolves when the last round has ended. */
export function keepUp(needs: Needs): () => Promise<void> {
  const { inbox, jobs, tickets, grants, catchUp, purge, clock, log, retentionDays, mayDelete } = needs
  let stopped = false
  let cancel = () => {}
  let round = Promise.resolve()
  let purged: Purged = 'done'

  async function once(): Promise<void> {
    const startedAt = clock.monotonic()
    const failures = new Set<string>()
    /** What fails keeps no other part from its turn: a grant that is not kept alive ends. */
    const part = <Result>(work: () => Promise<Result>): Promise<Result | undefined> =>
      work().catch((error: unknown) => {
        failures.add(codeOf(error))
        return undefined
      })
    const expired = (await part(expireAll)) ?? 0
    await part(async () => {
      if (mayDelete()) await Promise.all([tickets.sweep(clock.now()), jobs.sweep(clock.now())])
    })
    await part(purgeErased)
    const refreshed = (await part(() => grants.keepAlive())) ?? 0
    const durationMs = Math.round(clock.monotonic() - startedAt)
    if (expired > 0 || refreshed > 0) log.info('maintenance', { expired, refreshed, durationMs })
    // Where the store is away, all parts fail alike.
    for (const code of failures) log.error('maintenance_failed', { code, durationMs })
    if (!stopped) cancel = clock.after(everyMs, start)
  }

  async function expireAll(): Promise<number> {
    // mutant: leaves what nothing holds any more to the next start
    await catchUp()
    let gone = 0
    for (let goesOn = true; goesOn && !stopped && mayDelete(); ) {
      const step = await inbox.expire(limitsAt(clock.now(), retentionDays))
      gone += step.removed
      goesOn = step.goesOn
    }
    return gone
  }

  /** What an erasing could not finish, because something read the store or the process ended, is finished here. */
  async function purgeErased(): Promise<void> {
    const before = purged
    purged = await purge()
    if (purged === before) return
    if (purged === 'done') log.info('erase_done')
    else log.warn('erase_pending', { reason: purged })
  }

  function start(): void {
    round = once()
  }

  start()
  return async () => {
    stopped = true
    cancel()
    await round
  }
}
