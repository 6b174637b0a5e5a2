/** Beginning a backfill or a comparison, and looking at it: for console and command line alike. */
import { type Act, record } from '../../accounts/audit.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Jobs } from '../../storage/ports/jobs.ts'
import { addJob, type JobNeeds, type JobShown, shownJobs } from '../jobs.ts'
import { type HistoryInput, type HistoryKind, span } from './input.ts'
import { whyStuck } from './say.ts'

export interface WantedHistory extends HistoryInput {
  /** Given twice, it is one job. */
  id: string
  kind: HistoryKind
  org: Org
  who: string
}

/**
 * `other`: another one of this account has not ended. They share what Drift may be asked, so there is one at a time, on
 * whichever replica.
 */
export async function startHistory(
  needs: JobNeeds,
  { id, kind, org, who, ...input }: WantedHistory,
): ReturnType<Jobs['create']> {
  // mutant: lets two runs of one account ask Drift at once
  const made = await addJob<HistoryInput>(needs, { id, kind, org, who, input, only: `history ${org}` })
  if (made === 'created') {
    await record(needs, { org, who, act: actsOf(kind, input.dryRun).started, about: span(input) })
  }
  return made
}

/** What the audit calls its beginning and its end. */
export function actsOf(kind: HistoryKind, dryRun: boolean): Readonly<Record<'started' | 'ended', Act>> {
  if (kind === 'backfill')
    return dryRun
      ? { started: 'startedEstimate', ended: 'estimated' }
      : { started: 'startedBackfill', ended: 'backfilled' }
  return dryRun
    ? { started: 'startedReconcile', ended: 'reconciled' }
    : { started: 'startedMissing', ended: 'sentMissing' }
}

/** The account's backfills and comparisons, newest first. */
export async function shownHistory(jobs: Jobs, org: Org, limit: number): Promise<JobShown[]> {
  const all = await shownJobs(jobs, 200, org)
  return all.filter(({ kind }) => kind === 'backfill' || kind === 'reconcile').slice(0, limit)
}

/** How long one that is under way still takes, as its last pages went; undefined before that is known, or while Drift is silent. */
export function remainingMs(job: JobShown): number | undefined {
  const { seconds_left: seconds } = job.counts
  return job.hasEnded || seconds === undefined || whyStuck(job) ? undefined : seconds * 1_000
}
