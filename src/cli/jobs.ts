/** Long work, as everybody sees it: what was begun, how far it is, and an end to it. */
import { Problem } from '../lib/errors.ts'
import { cancelJob, type JobShown, shownJobById, shownJobs } from '../operations/jobs.ts'
import type { Store } from '../service.ts'
import type { Command, Option } from './command.ts'
import { orgOf, who, withStore } from './store.ts'

const json: Option = { flags: '--json', meaning: 'print JSON' }
const id = { name: 'id', meaning: 'as `jobs list` shows it' }

const list: Command = {
  name: 'list',
  summary: 'long work such as redrives, newest first: who began it, how far it is, and how it ended',
  options: [{ flags: '--org <id>', meaning: 'of this account' }, json],
  examples: ['npx drift-segment-source jobs list', 'npx drift-segment-source jobs list --org 12345 --json'],
  run: (context, given) =>
    withStore(context, async ({ storage }) => {
      const jobs = await shownJobs(storage.jobs, 100, given.org === undefined ? undefined : orgOf(given.org))
      if (given.json) return context.print(JSON.stringify(jobs.map(printed), undefined, 2))
      if (jobs.length === 0) return context.print('no jobs in the last 30 days')
      for (const job of jobs) context.print(line(job))
    }),
}

const show: Command = {
  name: 'show',
  summary: 'one job: how far it is, and how fast',
  arguments: [id],
  options: [json],
  examples: ['npx drift-segment-source jobs show 4f1c09aa27de'],
  run: (context, given, [asked]) =>
    withStore(context, async (store) => {
      const job = await jobOf(store, asked)
      if (given.json) return context.print(JSON.stringify(printed(job), undefined, 2))
      context.print(line(job))
      for (const [name, count] of Object.entries(job.counts)) {
        const rate = job.perMinute[name]
        context.print(`  ${name} ${count}${rate === undefined || job.hasEnded ? '' : `, ${rate} a minute`}`)
      }
      if (job.cancelledBy !== undefined) context.print(`  cancelled by ${job.cancelledBy}`)
      if (job.reason !== undefined) context.print(`  reason: ${job.reason}`)
    }),
}

const cancel: Command = {
  name: 'cancel',
  summary: 'end a job at its next step; what it has done stays done',
  arguments: [id],
  options: [json],
  examples: ['npx drift-segment-source jobs cancel 4f1c09aa27de'],
  run: (context, given, [asked]) =>
    withStore(context, async (store) => {
      const { id: known } = await jobOf(store, asked)
      const isCancelled = await cancelJob({ ...store.storage, clock: store.clock }, known, who)
      const job = await jobOf(store, known)
      if (given.json) return context.print(JSON.stringify({ cancelled: isCancelled, job: printed(job) }, undefined, 2))
      context.print(isCancelled ? 'cancelled: it ends at its next step' : 'it had ended, or was cancelled, before')
      context.print(line(job))
    }),
}

export const jobs: Command = {
  name: 'jobs',
  summary: 'see and cancel long work',
  examples: [],
  commands: [list, show, cancel],
}

async function jobOf({ storage }: Pick<Store, 'storage'>, asked: string | undefined): Promise<JobShown> {
  const job = await shownJobById(storage.jobs, asked ?? '')
  if (job) return job
  throw new Problem('job_unknown', 'no job has this id', { hint: '`jobs list` shows which there are' })
}

function line({ id: name, kind, org, state, who: by, createdAt, endedAt, counts }: JobShown): string {
  const done = Object.entries(counts).map(([what, count]) => `${what} ${count}`)
  const times = [
    `since ${new Date(createdAt).toISOString()}`,
    ...(endedAt ? [`until ${new Date(endedAt).toISOString()}`] : []),
  ]
  return [name, kind, org || 'all accounts', state, ...times, `by ${by}`, ...done].join('  ')
}

/** Times as people write them. */
function printed({ createdAt, startedAt, changedAt, endedAt, hasEnded: _, ...job }: JobShown) {
  const times = Object.entries({ createdAt, startedAt, changedAt, endedAt }).flatMap(([name, at]) =>
    at === undefined ? [] : [[name, new Date(at).toISOString()] as const],
  )
  return { ...job, ...Object.fromEntries(times) }
}
