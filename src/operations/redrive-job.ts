/** Redriving many events, as a job: begun by a page or a command, seen and cancelled by everybody. */
import { record } from '../accounts/audit.ts'
import { quantity } from '../lib/quantity.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Jobs } from '../storage/ports/jobs.ts'
import type { Query } from '../storage/ports/lookup.ts'
import { addJob, cancelJob, type JobKind, type JobNeeds, type JobShown, shownJobs } from './jobs.ts'
import { type Pass, passesOf } from './passes.ts'
import { type Mapping, movesOf, type Redrive, type RedriveNeeds, redrivableOf } from './redrive.ts'

const kind = 'redrive'
/** Of one step: what was quarantined is opened again, which takes the most of its time. */
const pageMax = 200
/** The cursor behind the last page. */
const end = 'end'

export interface RedriveInput {
  query: Query
  mapping: Mapping
  /** What was delivered is sent as a new event, and not repeated. */
  asNew?: boolean
  /** Events that the query found when it was begun, where that was counted. */
  total?: number
}

/** How far one is. */
export interface RedriveSoFar extends Pick<Redrive, 'found' | 'moved' | 'stays'> {
  /**
   * Those that the store left as they are: the destination has had the same conversation or meeting by another event, or
   * another process has moved or erased them meanwhile.
   */
  left?: number
  total?: number
}

/** `wake`: called after events were moved. */
export function redriveKind(needs: RedriveNeeds, wake: () => void): JobKind<RedriveInput> {
  const { lookup, inbox, clock } = needs
  return {
    kind,
    async step({ input: { query, mapping, asNew = false, total }, cursor, counts, lease, until }) {
      const at = cursor === end ? undefined : placeOf(passesOf(needs.accounts, query), cursor)
      if (!at) return { is: 'done', counts }
      const { destination } = at.pass
      const page = await lookup.find({ ...redrivableOf(query), destination }, { limit: pageMax, ...at.before })
      const entries = page.entries.filter(at.pass.isMeant)
      const { moves, stays } = await movesOf(needs, entries, { query, mapping, asNew })
      const begun = { moved: 0, ...(total === undefined ? {} : { total }), ...counts }
      const soFar: Record<string, number> = { ...begun, found: (counts.found ?? 0) + entries.length }
      for (const [reason, count] of Object.entries(stays))
        soFar[staying + reason] = (soFar[staying + reason] ?? 0) + count
      const next = page.next ? `${destination} ${page.next.id}` : at.after === undefined ? end : String(at.after)
      const now = clock.now()
      const step = { lease, cursor: next, counts: JSON.stringify(soFar), at: now, until: until() }
      // mutant: keeps how far a redrive is after what it moved, and not with it
      const { moved, job } = await inbox.redriveStep(moves, now, step)
      if (moved > 0) wake()
      return { is: 'kept', cursor: next, counts: { ...soFar, moved: (soFar.moved ?? 0) + moved }, job }
    },
    ended({ who, input, counts }, state) {
      return { who, act: 'redrove', about: `${quantity(counts.moved ?? 0, 'event')}, ${chosenIn(input)}, ${state}` }
    },
  }
}

/**
 * Where the list goes on, by a cursor of a destination's number and, within that one's list, an entry's id. `after`: the next
 * destination. One that was removed meanwhile is passed over.
 */
function placeOf(passes: readonly Pass[], cursor: string | undefined) {
  const [number = 0, id] = (cursor ?? '').split(' ').map(Number)
  const at = passes.findIndex(({ destination }) => destination >= number)
  const pass = passes[at]
  if (!pass) return undefined
  const before = id !== undefined && pass.destination === number ? { before: { id } } : {}
  return { pass, before, after: passes[at + 1]?.destination }
}

function chosenIn({ query: { destination }, mapping, asNew }: RedriveInput): string {
  const where = destination === undefined ? '' : `destination ${destination}, `
  const options = mapping === 'today' ? "today's options" : 'the options of then'
  return `${where}${options}${asNew ? ', as new events' : ''}`
}

const staying = 'stays_'

export function soFarOf({ counts }: Pick<JobShown, 'counts'>): RedriveSoFar {
  const stays = Object.entries(counts).flatMap(([name, count]) =>
    name.startsWith(staying) ? [[name.slice(staying.length), count] as const] : [],
  )
  const { found = 0, moved = 0, total } = counts
  const left = found - moved - stays.reduce((sum, [, count]) => sum + count, 0)
  return {
    found,
    moved,
    stays: Object.fromEntries(stays),
    ...(left > 0 ? { left } : {}),
    ...(total === undefined ? {} : { total }),
  }
}

export interface WantedRedrive extends RedriveInput {
  /** Given twice, it is one redrive. */
  id: string
  /** '' for all accounts. */
  org: Org
  who: string
}

/** False when another one of this account has not ended. */
export async function startRedrive(needs: JobNeeds, { id, org, who, ...input }: WantedRedrive): Promise<boolean> {
  const made = await addJob<RedriveInput>(needs, { id, kind, org, who, input, only: `${kind} ${org}` })
  if (made === 'created') await record(needs, { org, who, act: 'startedRedrive', about: chosenIn(input) })
  return made !== 'other'
}

/** The account's last one, ended or not. */
export async function lastRedrive(jobs: Jobs, org: Org): Promise<JobShown | undefined> {
  return (await shownJobs(jobs, 100, org)).find((job) => job.kind === kind)
}

/** Asks the account's redrive to end, if one has not. */
export async function cancelRedrive(needs: JobNeeds, org: Org, who: string): Promise<void> {
  const last = await lastRedrive(needs.jobs, org)
  if (last && !last.hasEnded) await cancelJob(needs, last.id, who)
}
