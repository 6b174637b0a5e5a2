/** Sending events again in bulk: a job, which this command waits for, or a dry run of one. */
import { catalogue } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { systemRandom } from '../lib/random.ts'
import { type JobShown, newJobId } from '../operations/jobs.ts'
import { type Mapping, previewRedrive, type Redrive, redrivable } from '../operations/redrive.ts'
import { type RedriveSoFar, redriveKind, soFarOf, startRedrive } from '../operations/redrive-job.ts'
import type { Store } from '../service.ts'
import type { Query } from '../storage/ports/lookup.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { followJob } from './follow-job.ts'
import { filter, queryOf, remarkUnknown, who, withStore } from './store.ts'

const mappingOption: Option = {
  flags: '--mapping <mapping>',
  meaning: "translate with the mapping and options of the receipt (then), or with today's",
  choices: ['then', 'today'],
  default: 'today',
}

const asOption: Option = {
  flags: '--as <what>',
  meaning:
    'what was delivered goes again as it was (repeat), of which Segment keeps the first, or as a new event (new), which is counted twice',
  choices: ['repeat', 'new'],
  default: 'repeat',
}

export const redrive: Command = {
  name: 'redrive',
  summary:
    'send again what is dead or quarantined, or what --state names, under the same messageId; to one destination, or to all',
  options: [
    ...filter,
    mappingOption,
    asOption,
    { flags: '--dry-run', meaning: 'change nothing: say how many, and show three' },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: [
    'npx drift-segment-source redrive --from 24h --dry-run',
    'npx drift-segment-source redrive --org 12345 --state dead --from 2026-11-23 --to 2026-11-24',
    'npx drift-segment-source redrive --org 12345 --state delivered --type new_conversation --from 7d',
    'npx drift-segment-source redrive --org 12345 --destination Staging --state not_given --from 7d',
  ],
  run: go,
}

function go(context: Context, given: Given): Promise<number> {
  return withStore(context, async (store) => {
    const now = store.clock.now()
    // What arrives from now on is not meant.
    const query = { to: now, ...queryOf(given, now, store.accounts) }
    if (query.states?.some((state) => !redrivable.includes(state))) {
      throw new Problem('filter_unusable', `only ${redrivable.join(', ')} events can be redriven: others wait anyway`, {
        hint: '`installs retry` tries at once what waits for a later time, and `installs resume` ends a pause or a refusal',
        exitCode: 2,
      })
    }
    const mapping = (given.mapping ?? 'today') as Mapping
    const asNew = given.as === 'new'
    remarkUnknown(context, store, query)
    const asked = { store, query, mapping, asNew }
    if (!asNew && query.states?.includes('delivered'))
      context.remark('what was delivered keeps its messageIds: Segment drops what it has; --as new counts it twice')
    return given.dryRun === true ? look(context, given, asked) : redriveAll(context, given, asked)
  })
}

interface Asked {
  store: Store
  query: Query
  mapping: Mapping
  asNew: boolean
}

async function look(context: Context, given: Given, { store, query, mapping }: Asked): Promise<number> {
  let stopped = false
  void context.untilStopped().then(() => (stopped = true))
  const goOn = ({ found, moved }: Redrive) => {
    context.remark(`${found} looked at, ${moved} would go again`)
    return !stopped
  }
  const { keyring, accounts } = store
  const needs = { catalogue, keyring, accounts, lookup: store.storage.lookup }
  const found = await previewRedrive(needs, query, { mapping, goOn })
  if (given.json) context.print(JSON.stringify({ ...found, dryRun: true, stopped }))
  else {
    const { samples } = found
    const shown = samples.map(({ messageId, type, org, state }) => `  ${messageId}  ${org}  ${type}  was ${state}`)
    context.print([`${found.found} found, ${found.moved} would be sent again`, ...staying(found), ...shown].join('\n'))
  }
  return stopped ? 130 : 0
}

async function redriveAll(context: Context, given: Given, { store, query, mapping, asNew }: Asked): Promise<number> {
  const { storage, keyring, accounts, clock } = store
  const id = newJobId(systemRandom)
  const wanted = { id, org: query.org ?? '', who, query, mapping, ...(asNew ? { asNew } : {}) }
  const isStarted = await startRedrive({ ...storage, clock }, wanted)
  if (!isStarted) {
    throw new Problem('redrive_running', 'another redrive of the same accounts has not ended', {
      hint: '`jobs list` shows it, and `jobs cancel` ends it',
    })
  }
  const needs = { catalogue, keyring, accounts, lookup: storage.lookup, inbox: storage.inbox, clock }
  const kind = redriveKind(needs, () => {})
  const says = (job: JobShown) => `job ${id}: ${soFarOf(job).found} looked at, ${soFarOf(job).moved} go again`
  const job = await followJob(context, id, { store, kind, says })
  const { state, cancelledBy, reason } = job
  const soFar = soFarOf(job)
  if (given.json)
    context.print(JSON.stringify({ job: id, state, ...soFar, dryRun: false, stopped: state === 'cancelled' }))
  else {
    const end = {
      cancelled: [`stopped on request of ${cancelledBy}: what has been moved stays moved, the rest is as it was`],
      failed: [`it has failed (${reason}): what has been moved stays moved; run it again for the rest`],
    }[state as string]
    context.print(
      [`${soFar.found} found, ${soFar.moved} wait to be sent again`, ...staying(soFar), ...(end ?? [])].join('\n'),
    )
  }
  return state === 'done' ? 0 : state === 'failed' ? 1 : 130
}

function staying({ stays, left }: Pick<RedriveSoFar, 'stays' | 'left'>): string[] {
  const why = 'the destination has had the same by another event, or another process moved or erased it meanwhile'
  return [...Object.entries(stays), ...(left ? [[why, left] as const] : [])].map(
    ([reason, count]) => `  ${count} ${count === 1 ? 'stays as it is' : 'stay as they are'}: ${reason}`,
  )
}
