/** A command that waits for a job: a service works on it, and where none runs, the command itself. */
import { pause } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { cancelJob, type JobKind, type JobShown, shownJob } from '../operations/jobs.ts'
import { workOn } from '../operations/run-jobs.ts'
import type { Store } from '../service.ts'
import type { Context } from './command.ts'
import { who } from './store.ts'

const everyMs = 200
const leaseMs = 15_000

interface Following {
  store: Pick<Store, 'storage' | 'clock'>
  kind: JobKind<never>
  /** How far it is, in words for standard error. */
  says(job: JobShown): string
}

/** Resolves when the job has ended. When the command is stopped, it cancels the job, so that nothing goes on unseen. */
export async function followJob(context: Context, id: string, { store, kind, says }: Following): Promise<JobShown> {
  const { storage, clock } = store
  const { jobs, audit } = storage
  const closing = new AbortController()
  let working: Promise<void> | undefined
  let failure: unknown
  let [stopped, isCancelled, said] = [false, false, '']
  void context.untilStopped().then(() => (stopped = true))

  async function workHere(): Promise<void> {
    const now = clock.now()
    const lease = await jobs.claim([kind.kind], now, now + leaseMs, id)
    if (!lease) return
    working = workOn({ jobs, kinds: [kind], clock, log: silentLog }, lease, closing.signal)
      .catch((error: unknown) => (failure = error))
      .then(() => (working = undefined))
  }

  for (;;) {
    if (failure !== undefined) throw failure
    const job = shownJob((await jobs.get(id))!)
    const now = says(job)
    if (now !== said) context.remark(now)
    said = now
    if (job.hasEnded) {
      await working
      return job
    }
    if (stopped && !isCancelled) {
      await cancelJob({ jobs, audit, clock }, id, who)
      isCancelled = true
    }
    if (!working && !(await storage.isServed())) await workHere()
    await pause(clock, everyMs)
  }
}
