/**
 * Works on jobs: claims what no process holds, takes one step after the other, and says how far each is. A lease lasts
 * fifteen seconds and is prolonged every second, so another replica goes on that much after a process was killed, and a
 * cancelled job ends within about a second.
 */
import { entryOf } from '../accounts/audit.ts'
import { type Clock, pause } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import { readChecked } from '../lib/json.ts'
import type { Log } from '../lib/log.ts'
import type { JobEnd, JobHeld, JobLease, Jobs } from '../storage/ports/jobs.ts'
import { type Counts, countsOf, type JobKind, keepEndedMs, type Stepped, type Work } from './jobs.ts'

const leaseMs = 15_000
const beatMs = 1_000
/** How often a process looks for jobs whose holder has gone, when it hears of nothing. */
const lookMs = 5_000
/** Steps that fail so often in a row end their job. */
const failuresMax = 5

export interface RunNeeds {
  jobs: Jobs
  kinds: readonly JobKind<never>[]
  clock: Clock
  log: Log
}

export interface JobRunner {
  /** There may be a job to be begun. */
  wake(): void
  /** Gives back what is under way after the step it is at. */
  stop(): Promise<void>
}

export function startJobs(needs: RunNeeds): JobRunner {
  const { jobs, kinds, clock, log } = needs
  const closing = new AbortController()
  const underWay = new Map<Promise<void>, JobKind<never>>()
  let looking: Promise<void> | undefined
  let again = false
  let cancel = () => {}

  function withRoom(): string[] {
    const many = (kind: JobKind<never>) => [...underWay.values()].filter((one) => one === kind).length
    return kinds.filter((kind) => many(kind) < (kind.atOnce ?? 2)).map(({ kind }) => kind)
  }

  async function look(): Promise<void> {
    do {
      again = false
      for (let names = withRoom(); names.length > 0 && !closing.signal.aborted; names = withRoom()) {
        const lease = await jobs.claim(names, clock.now(), clock.now() + leaseMs)
        if (!lease) break
        const kind = kinds.find(({ kind: name }) => name === lease.job.kind)!
        const working = workOn(needs, lease, closing.signal).catch(() => {})
        underWay.set(working, kind)
        void working.then(() => {
          underWay.delete(working)
          wake()
        })
      }
    } while (again)
  }

  function wake(): void {
    again = true
    if (looking || closing.signal.aborted) return
    cancel()
    looking = look()
      .catch((error: unknown) => log.warn('job_claim_failed', { code: codeOf(error) }))
      .then(() => {
        looking = undefined
        if (closing.signal.aborted) return
        // It may have been woken after its last look.
        if (again) wake()
        else cancel = clock.after(lookMs, wake)
      })
  }

  wake()
  return {
    wake,
    async stop() {
      closing.abort()
      cancel()
      await looking
      await Promise.all(underWay.keys())
    },
  }
}

/** Works on one job until it has ended, is lost, or `closing` is given; then it is given back. Rejects when the store is away. */
export async function workOn(
  { jobs, kinds, clock, log }: RunNeeds,
  lease: JobLease,
  closing: AbortSignal,
): Promise<void> {
  const { job } = lease
  const kind = kinds.find(({ kind: name }) => name === job.kind)! as JobKind
  const input = readChecked(job.input) as unknown
  const about = { org: job.org, job: job.id, kind: job.kind }
  const stopping = new AbortController()
  const ends = () => stopping.abort()
  closing.addEventListener('abort', ends, { once: true })
  /** What the store has said last. */
  const ours: { is: JobHeld } = { is: job.cancelledBy === undefined ? 'held' : 'cancelled' }
  // Empty: it was told how much was done before the first step had ended.
  let cursor = job.cursor === '' ? undefined : job.cursor
  let counts: Counts = countsOf(job.counts)
  let failures = 0
  let telling: Promise<unknown> = Promise.resolve()
  let stopBeat = () => {}
  const until = () => clock.now() + leaseMs

  function hear(told: JobHeld): void {
    if (ours.is === 'held') ours.is = told
    if (ours.is !== 'held') ends()
  }

  async function beat(): Promise<void> {
    // A store that is away for a moment: the next beat tells.
    hear(await jobs.renew(lease, until()).catch(() => ours.is))
    if (ours.is === 'held') stopBeat = clock.after(beatMs, () => void beat())
  }

  async function end(state: JobEnd['state'], reason?: string): Promise<void> {
    // What the last step did before it was interrupted is not in what it said.
    const soFar = state === 'done' ? undefined : kind.soFar?.({ org: job.org, input, cursor, counts })
    counts = (await soFar) ?? counts
    const at = clock.now()
    const entry = entryOf(job.org, at, kind.ended({ org: job.org, who: job.who, input, counts }, state))
    const given = { state, counts: JSON.stringify(counts), at, keepUntil: at + keepEndedMs }
    const hasEnded = await jobs.end(lease, { ...given, ...(reason === undefined ? {} : { reason }) }, entry)
    if (!hasEnded) return
    if (state === 'failed') log.error('job_failed', { ...about, reason })
    else log.info('job_ended', { ...about, outcome: state, ...counts })
  }

  async function keep(stepped: Extract<Stepped, { cursor: string }>): Promise<JobHeld> {
    if (stepped.is === 'kept') return stepped.job
    await telling
    const progress = { cursor: stepped.cursor, counts: JSON.stringify(stepped.counts), at: clock.now() }
    return jobs.advance(lease, progress, until())
  }

  /** A store that is away for a moment: people are shown what was known before. */
  function tell(soFar: Counts): void {
    const progress = () => ({ cursor: cursor ?? '', counts: JSON.stringify(soFar), at: clock.now() })
    telling = telling.then(() => jobs.advance(lease, progress(), until()).then(hear)).catch(() => {})
  }

  /** True when it has ended, or is not ours any more. */
  async function step(): Promise<boolean> {
    const work: Work = {
      org: job.org,
      who: job.who,
      input,
      cursor,
      counts,
      lease,
      until,
      tell,
      signal: stopping.signal,
    }
    const stepped = await kind.step(work)
    failures = 0
    counts = stepped.counts
    if (stepped.is === 'done') return end('done').then(() => true)
    if (stepped.is === 'failed') return end('failed', stepped.reason).then(() => true)
    cursor = stepped.cursor
    hear(await keep(stepped))
    if (stepped.is === 'on' && stepped.waitMs) await pause(clock, stepped.waitMs, stopping.signal)
    return false
  }

  /** Whether the job goes on after a step that threw. */
  async function tryAgain(error: unknown): Promise<boolean> {
    if (stopping.signal.aborted) return true
    // When the store is away this rejects, and the lease runs out: that is not the job's fault.
    hear(await jobs.renew(lease, until()))
    failures++
    log.warn('job_step_failed', { ...about, code: codeOf(error), failures })
    if (failures < failuresMax) await pause(clock, beatMs * 2 ** failures, stopping.signal)
    else await end('failed', codeOf(error))
    return failures < failuresMax
  }

  log.info('job_begun', { ...about, who: job.who, goesOn: cursor !== undefined })
  await beat()
  try {
    for (;;) {
      if (ours.is === 'lost') return
      if (ours.is === 'cancelled') return await end('cancelled')
      if (closing.aborted) return void (await jobs.giveBack(lease, clock.now()))
      const hasEnded = await step().catch(async (error: unknown) => !(await tryAgain(error)))
      if (hasEnded) return
    }
  } finally {
    stopBeat()
    ours.is = 'lost'
    closing.removeEventListener('abort', ends)
  }
}
