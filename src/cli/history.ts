/** Bringing in what happened at Drift before, and finding what never came: two commands, one kind of work. */
import { chooseDaily } from '../accounts/actions.ts'
import { destinationsOf } from '../accounts/destinations.ts'
import { pause } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { quantity } from '../lib/quantity.ts'
import { systemRandom } from '../lib/random.ts'
import { isBilledBySegment, spoken } from '../operations/history/estimate.ts'
import { heldAt } from '../operations/history/held.ts'
import { type HistoryKind, span } from '../operations/history/input.ts'
import { estimateOf, isDryRun, linesOf, whyFailed, whyStuck } from '../operations/history/say.ts'
import { remainingMs, startHistory } from '../operations/history/start.ts'
import { cancelJob, type JobShown, newJobId, shownJob } from '../operations/jobs.ts'
import { explain } from '../operations/reasons.ts'
import type { Store } from '../service.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { isServed } from './attempts.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { installOf, notInstalled, org, orgOf, queryOf, who, withStore } from './store.ts'

const everyMs = 500
/** Remarks on how far it is come no more often: it may take days. */
const remarkMs = 5_000

/** `since`: what is meant where no time is named. */
const common = (since: string): Option[] => [
  org,
  {
    flags: '--from <time>',
    meaning: `begun or booked at or after: 2026-01-31, 2026-01-31T08:00Z, or 30d ago; ${since}, when absent`,
  },
  { flags: '--to <time>', meaning: 'begun or booked before, in the same forms; now, when absent' },
]
const sinceConnected = 'since the account was connected'
const detach: Option = { flags: '--detach', meaning: 'begin it and return: `jobs show` says how far it is' }
const json: Option = { flags: '--json', meaning: 'print JSON' }

export const backfill: Command = {
  name: 'backfill',
  summary:
    'send what happened in Drift before the account was connected: conversations with their contacts, and meetings of 30 days',
  options: [
    ...common('from the beginning'),
    {
      flags: '--dry-run',
      meaning: 'send nothing: say how much there is, how long it takes, and what Drift does not allow',
    },
    detach,
    json,
  ],
  examples: [
    'npx drift-segment-source backfill --org 12345 --dry-run',
    'npx drift-segment-source backfill --org 12345 --from 2026-01-01 --detach',
  ],
  run: (context, given) => go(context, given, { kind: 'backfill', dryRun: given.dryRun === true }),
}

export const reconcile: Command = {
  name: 'reconcile',
  summary: 'compare what Drift lists with what came, and say what is missing and why; --send sends exactly that',
  options: [
    ...common(sinceConnected),
    { flags: '--send', meaning: 'send what is missing' },
    {
      flags: '--daily <on|off>',
      meaning: 'from now on compare the last seven days every day, or do not',
      choices: ['on', 'off'],
    },
    detach,
    json,
  ],
  examples: [
    'npx drift-segment-source reconcile --org 12345 --from 30d',
    'npx drift-segment-source reconcile --org 12345 --from 30d --send',
    'npx drift-segment-source reconcile --org 12345 --daily on',
  ],
  run: (context, given) =>
    given.daily === undefined
      ? go(context, given, { kind: 'reconcile', dryRun: given.send !== true })
      : daily(context, given),
}

function daily(context: Context, given: Given): Promise<number> {
  return withStore(context, async (store) => {
    const id = orgOf(given.org)
    const isOn = given.daily === 'on'
    if (!(await chooseDaily(store, id, { isOn, who }))) throw notInstalled(id)
    context.print(`${id} is compared with Drift ${isOn ? 'every day' : 'only when you ask for it'}`)
    return 0
  })
}

function go(context: Context, given: Given, { kind, dryRun }: { kind: HistoryKind; dryRun: boolean }): Promise<number> {
  return withStore(context, async (store) => {
    const { storage, accounts, clock } = store
    const account = orgOf(given.org)
    const install = installOf(store, account)
    if (!(await isServed(store)))
      throw new Problem('no_service', 'no service runs on this store: nothing was begun', {
        hint: 'start it, and run this again: the service reads from Drift at the pace that Drift allows',
      })
    const now = clock.now()
    const { from = 0, to = now } = queryOf({ from: given.from, to: given.to }, now, accounts)
    if (from >= now) throw new Problem('filter_unusable', '--from is in the future', { exitCode: 2 })
    if (from >= to)
      throw new Problem('filter_unusable', '--from is not before --to', {
        exitCode: 2,
        hint: '--to is the first moment that is left out: of one day alone, give the day after it, as in --from 2026-01-31 --to 2026-02-01',
      })
    const id = newJobId(systemRandom)
    // A comparison is of what could have come: before it was connected, nothing could.
    const isCut = kind === 'reconcile' && given.from === undefined
    const wanted = { id, kind, org: account, who, dryRun, from: isCut ? install.createdAt : from, to }
    if ((await startHistory({ ...storage, clock }, wanted)) === 'other')
      throw new Problem('history_running', 'another backfill or comparison of this account has not ended', {
        hint: '`jobs list` shows it, and `jobs cancel` ends it',
      })
    const period = `${span(wanted)}${isCut ? `, ${sinceConnected}: --from names an earlier time` : ''}`
    if (given.detach === true) {
      const begun = `job ${id} has begun (${period}): \`jobs show ${id}\` says how far it is`
      context.print(given.json ? JSON.stringify({ job: id }) : begun)
      return 0
    }
    const job = await follow(context, store, id, dryRun)
    await accounts.reload(clock.now())
    if (job) return told(context, given, { job, install: accounts.get(account), period })
    context.remark(
      dryRun
        ? `job ${id} is cancelled, and ends when a service runs`
        : `job ${id} goes on: \`jobs show ${id}\` says how far it is, \`jobs cancel ${id}\` ends it`,
    )
    return 130
  })
}

/** Undefined when this command was stopped. A dry run ends with it; a job that sends goes on. */
async function follow(context: Context, store: Store, id: string, dryRun: boolean) {
  const { storage, clock } = store
  const { jobs, audit } = storage
  let [isStopped, isCancelled, isAlone, saidAt] = [false, false, false, clock.monotonic()]
  void context.untilStopped().then(() => (isStopped = true))
  for (;;) {
    const job = shownJob((await jobs.get(id))!)
    if (job.hasEnded) return job
    if (isStopped && !dryRun) return undefined
    if (isStopped && !isCancelled) isCancelled = await cancelJob({ jobs, audit, clock }, id, who)
    const wasAlone = isAlone
    isAlone = !(await isServed(store))
    if (isAlone && isStopped) return undefined
    if (isAlone && !wasAlone) context.remark(`job ${id}: no service runs on this store; it goes on when one does`)
    if (isAlone) saidAt = clock.monotonic()
    if (clock.monotonic() >= saidAt + remarkMs) {
      saidAt = clock.monotonic()
      context.remark(progressOf(job))
    }
    await pause(clock, everyMs)
  }
}

function progressOf(job: JobShown): string {
  const { counts, id } = job
  const left = remainingMs(job)
  const parts = [
    `${counts.looked ?? 0}${counts.total === undefined ? '' : ` of about ${counts.total}`} read`,
    ...(counts.sent === undefined ? [] : [`${counts.sent} sent`]),
    ...(counts.read_a_minute === undefined ? [] : [`${counts.read_a_minute} read a minute`]),
    ...(left === undefined ? [] : [`about ${spoken(left)} left`]),
  ]
  const stuck = whyStuck(job)
  return `job ${id}: ${parts.join(', ')}${stuck ? `. ${stuck}` : ''}`
}

function told(
  { print }: Context,
  given: Given,
  { job, install, period }: { job: JobShown; install: Install | undefined; period: string },
): number {
  const { id, kind, state, counts, reason, cancelledBy } = job
  const lines = linesOf(job)
  const hasEstimate = kind === 'backfill' && isDryRun(job) && state === 'done'
  const estimate = estimateOf(job)
  if (given.json) {
    const { requests, ms, people } = estimate
    const shown = hasEstimate ? { estimate: { requests, seconds: Math.ceil(ms / 1_000), trackedUsers: people } } : {}
    print(JSON.stringify({ job: id, state, ...(reason ? { reason } : {}), dryRun: isDryRun(job), counts, ...shown }))
  } else {
    print(`time: ${period}`)
    for (const { label, count, note } of lines)
      print(`${count === undefined ? '' : `${String(count).padStart(9)}  `}${label}${note ? `. ${note}` : ''}`)
    if (hasEstimate) {
      print(
        `it takes about ${estimate.spoken} (${quantity(estimate.requests, 'request')} to Drift, at most five a second)`,
      )
      if (install && isBilledBySegment(destinationsOf(install)))
        print(
          `it adds at most ${quantity(estimate.people, 'monthly tracked user')} in Segment, in the month in which it runs`,
        )
      if ((counts.missing ?? 0) + (counts.contacts ?? 0) > 0) print('run it again without --dry-run to bring this in')
    }
    if (kind === 'reconcile' && isDryRun(job) && (counts.missing ?? 0) > 0)
      print('run it again with --send to send what is missing')
    for (const { name, endpoint, reason } of (counts.sent ?? 0) > 0 ? heldAt(install) : [])
      print(
        `it waits${name === undefined ? '' : ` at ${name}`}, and is not sent yet: ${explain(reason, endpoint).means}`,
      )
    if (state === 'failed') print(whyFailed(job))
    if (state === 'cancelled') print(`cancelled by ${cancelledBy}: what was sent stays sent`)
  }
  return state === 'done' ? 0 : state === 'failed' ? 1 : 130
}
