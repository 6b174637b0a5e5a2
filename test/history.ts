/** Backfills and comparisons on a stage: jobs that a test runs to their end, or cuts off, while its clock goes on. */
import { silentLog } from '../src/lib/log.ts'
import { systemRandom } from '../src/lib/random.ts'
import type { HistoryInput, HistoryKind } from '../src/operations/history/input.ts'
import { historyKind } from '../src/operations/history/job.ts'
import { startHistory } from '../src/operations/history/start.ts'
import { type JobShown, newJobId, shownJob } from '../src/operations/jobs.ts'
import { workOn } from '../src/operations/run-jobs.ts'
import { keeping } from '../src/pipeline/keep.ts'
import type { Stored } from '../src/sim/segment-intake.ts'
import { eventually } from './clock.ts'
import { org, type Parts, type Stage } from './stage.ts'

export const id = String(org)
export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** Conversation number n, of contact 10,000 + n unless said otherwise, from n hours ago. */
export function conversation(stage: Stage, n: number, said: { contactId?: number; at?: number } = {}) {
  const { contactId = 10_000 + n, at = stage.clock.now() - n * hourMs } = said
  return { id: n, contactId, status: 'open', inboxId: 7, createdAt: at, updatedAt: at + 1_000 }
}

export function contact(n: number, attributes: Record<string, unknown> = { email: `visitor${n}@shop.example` }) {
  return { id: n, createdAt: 1, attributes: { ...attributes, _END_USER_VERSION: 3, tags: [] } } as never
}

/** So many conversations from 2 hours ago on, each with a contact of its own. */
export function addConversations(stage: Stage, many: number): void {
  const numbers = Array.from({ length: many }, (_, n) => n + 2)
  const conversations = numbers.map((n) => conversation(stage, n))
  stage.sims.drift.addOrg({ orgId: org, conversations, contacts: numbers.map((n) => contact(10_000 + n)) })
}

export interface Run {
  /** Gives the job back, as a process that stops; of one that is killed nothing is heard any more. */
  cutOff?: 'stopped' | 'killed'
  /** Asked before each time the clock goes on: true cuts the job off, where `cutOff` says how. */
  when?: () => boolean
  parts?: Parts
}

export async function begin(stage: Stage, kind: HistoryKind, input: Partial<HistoryInput> = {}): Promise<string> {
  const { jobs, audit } = stage.storage
  const wanted = {
    id: newJobId(systemRandom),
    kind,
    org: id,
    who: 'a test',
    from: 0,
    to: stage.clock.now(),
    dryRun: false,
  }
  if ((await startHistory({ jobs, audit, clock: stage.clock }, { ...wanted, ...input })) === 'other')
    throw new Error('another runs')
  return wanted.id
}

/** Works on what has begun until it ends, or is cut off; then the clock stands where another process may go on. */
export async function work(
  stage: Stage,
  job: string,
  { cutOff, when = () => false, parts = stage }: Run = {},
): Promise<JobShown> {
  const { storage, clock, keyring } = stage
  const { grants, accounts, needs } = parts
  const { inbox, jobs } = storage
  const around = { ...storage, keep: keeping({ inbox, keyring, clock }), wake() {}, driftUrl: stage.sims.drift.url }
  const history = { ...needs, ...around, grants, accounts, keyring, clock, random: systemRandom }
  const kinds = [historyKind('backfill', history), historyKind('reconcile', history)]
  const names = kinds.map(({ kind }) => kind)
  let lease: Awaited<ReturnType<typeof jobs.claim>>
  // On PostgreSQL the last renewal of a process that was killed may still have the job's row.
  await eventually(async () => {
    lease = await jobs.claim(names, clock.now(), clock.now() + 15_000)
    return lease !== undefined
  })
  const closing = new AbortController()
  const killed = cutOff === 'killed' ? { ...jobs, giveBack: async () => false } : jobs
  let isOver = false
  const working = workOn({ jobs: killed, kinds, clock, log: silentLog }, lease!, closing.signal).then(
    () => (isOver = true),
  )
  await eventually(() => {
    if (when() && cutOff) closing.abort()
    if (!isOver) clock.advance(20)
    return isOver
  })
  await working
  if (cutOff === 'killed') clock.advance(16_000)
  return shownJob((await jobs.get(job))!)
}

export async function backfill(stage: Stage, input: Partial<HistoryInput> = {}): Promise<JobShown> {
  return work(stage, await begin(stage, 'backfill', input))
}

export async function reconcile(stage: Stage, input: Partial<HistoryInput> = {}): Promise<JobShown> {
  return work(stage, await begin(stage, 'reconcile', input))
}

/** What Segment has of one kind of event, as `id` of the conversation or meeting, or the contact: in the order of arrival. */
export function tracked({ sims }: Stage, type: string): string[] {
  return messages(sims.segment.accepted)
    .filter(({ event }) => event === `Drift Source Event: ${type}`)
    .map(({ properties }) => String(properties?.id ?? properties?.eventId))
}

export function identified({ sims }: Stage): string[] {
  return messages(sims.segment.accepted)
    .filter(({ type }) => type === 'identify')
    .map(({ anonymousId }) => String(anonymousId))
}

export interface Message {
  type: string
  event?: string
  anonymousId?: string
  messageId: string
  timestamp: string
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
}

export function messages(accepted: readonly Stored[]): Message[] {
  return accepted.map(({ message }) => message as unknown as Message)
}
