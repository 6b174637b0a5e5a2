/**
 * Long work that goes on after a crash, on whichever replica: what a kind of it is, and how a job is begun, looked at and
 * cancelled. `run-jobs.ts` works on them.
 */
import { type NewAuditEntry, record } from '../accounts/audit.ts'
import type { Clock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { type Json, readChecked } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import type { Audit } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Job, JobEnd, JobHeld, JobLease, Jobs } from '../storage/ports/jobs.ts'

/** How much has been done, in numbers that people are shown. */
export type Counts = Readonly<Record<string, number>>

/** What a step works on. */
export interface Work<Input = unknown> {
  org: Org
  who: string
  input: Input
  /** Where the work goes on; undefined at its beginning. */
  cursor: string | undefined
  counts: Counts
  /** For a step that keeps its cursor together with what it did: as `JobStep` wants it. */
  lease: JobLease
  /** Until when the lease is to last, seen from now. */
  until(): number
  /** What people are shown meanwhile, where a step takes longer than it should: the next step begins from the same cursor. */
  tell(counts: Counts): void
  /** Given when the step is to end soon: the job was cancelled or lost, or the process stops. What it throws then is ignored. */
  signal: AbortSignal
}

export type Stepped =
  /** To be kept: the work goes on from this cursor, after `waitMs` where it is given. */
  | { is: 'on'; cursor: string; counts: Counts; waitMs?: number }
  /** The step has kept its cursor and counts itself, and the store answered this. */
  | { is: 'kept'; cursor: string; counts: Counts; job: JobHeld }
  | { is: 'done'; counts: Counts }
  | { is: 'failed'; counts: Counts; reason: string }

/** One kind of work. A process that does not know a kind leaves its jobs to those that do. */
export interface JobKind<Input = unknown> {
  kind: string
  /** So many jobs of this kind at once in one process; 2 when absent. */
  atOnce?: number
  /**
   * A second's work, or less. What it throws is tried again; a step that was not kept is taken again from the same cursor, by
   * this process or another, so whatever it does outside of that write must do no harm when it is done twice.
   */
  step(work: Work<Input>): Promise<Stepped>
  /** How much has been done, for one that is cancelled or has failed in the middle of a step; absent: what the last step said. */
  soFar?(work: Pick<Work<Input>, 'org' | 'input' | 'cursor' | 'counts'>): Promise<Counts>
  /** What the audit says when it has ended. */
  ended(work: Pick<Work<Input>, 'org' | 'who' | 'input' | 'counts'>, state: JobEnd['state']): NewAuditEntry
}

/** Ended jobs are listed for so long. */
export const keepEndedMs = 30 * 24 * 3_600_000

export interface Wanted<Input> {
  /** Made by who wants it: given twice, it is one job. */
  id: string
  kind: string
  /** Empty where it is for several accounts. */
  org: Org
  who: string
  input: Input
  /** Of unfinished jobs with the same one there is at most one. */
  only?: string
}

/** What it takes to begin or cancel a job, and to note that in the audit. */
export interface JobNeeds {
  jobs: Jobs
  audit: Audit
  clock: Clock
}

/** Twelve letters and digits, which people can type. */
export function newJobId(random: Random): string {
  return random.bytes(6).toString('hex')
}

/** `there`: it was made before. `other`: an unfinished one excludes it. */
export function addJob<Input>(
  { jobs, clock }: { jobs: Jobs; clock: Clock },
  { input, ...wanted }: Wanted<Input>,
): ReturnType<Jobs['create']> {
  return jobs.create({ ...wanted, input: JSON.stringify(input), createdAt: clock.now() })
}

/** A job as people see it. */
export interface JobShown extends Omit<Job, 'counts' | 'input' | 'cursor' | 'only'> {
  counts: Counts
  /** Of each number, how many a minute since it was begun; empty before there is something to divide. */
  perMinute: Counts
  hasEnded: boolean
}

export function shownJob({ counts: text, input: _, cursor: _c, only: _o, ...job }: Job): JobShown {
  const counts = countsOf(text)
  const minutes = (job.changedAt - (job.startedAt ?? job.changedAt)) / 60_000
  const rates = minutes > 0 ? Object.entries(counts).map(([name, count]) => [name, Math.round(count / minutes)]) : []
  return { ...job, counts, perMinute: Object.fromEntries(rates), hasEnded: job.endedAt !== undefined }
}

export function countsOf(text: string): Counts {
  return readChecked(text) as Counts
}

/** Newest first. */
export async function shownJobs(jobs: Jobs, limit: number, org?: Org): Promise<JobShown[]> {
  return (await jobs.list(limit, org)).map(shownJob)
}

export async function shownJobById(jobs: Jobs, id: string): Promise<JobShown | undefined> {
  const job = await jobs.get(id)
  return job && shownJob(job)
}

/** Asks its holder to end it, which does so within about a second; false when it has ended, or was cancelled before. */
export async function cancelJob({ jobs, audit, clock }: JobNeeds, id: string, who: string): Promise<boolean> {
  const job = await jobs.get(id)
  if (!job) throw new Problem('job_unknown', 'no job has this id', { hint: '`jobs list` shows which there are' })
  if (!(await jobs.cancel(id, who, clock.now()))) return false
  await record({ audit, clock }, { org: job.org, who, act: 'cancelledJob', about: job.kind })
  return true
}

/**
 * Ends the account's unfinished jobs that were to look for one of these: a contact that is being erased, or their
 * conversations. Afterwards nothing that a job was to do names them. Resolves to how many.
 */
export async function abandonJobsOf(
  { jobs, clock }: { jobs: Jobs; clock: Clock },
  org: Org,
  names: ReadonlySet<string>,
): Promise<number> {
  let abandoned = 0
  // Also those that are for several accounts.
  const all = [...(await jobs.list(listMax, org)), ...(await jobs.list(listMax, ''))]
  for (const { id, input, counts, endedAt } of all) {
    if (endedAt !== undefined || !isNamed(readChecked(input), names)) continue
    const at = clock.now()
    const end: JobEnd = { state: 'cancelled', reason: 'person_erased', counts, at, keepUntil: at + keepEndedMs }
    if (await jobs.abandon(id, end)) abandoned++
  }
  return abandoned
}

/** More than an account ever has. */
const listMax = 10_000

function isNamed(value: Json | undefined, names: ReadonlySet<string>): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some((one) => isNamed(one, names))
  return names.has(String(value))
}
