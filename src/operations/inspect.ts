/** What happened to one event, step by step, why, and what to do: for the command line and the console alike. */

import type { Accounts } from '../accounts/accounts.ts'
import { endpointOf } from '../accounts/destinations.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { optionsAt } from '../accounts/options.ts'
import { reopen } from '../drift/envelope.ts'
import type { EventPage } from '../events/define.ts'
import { probeMsMax } from '../lib/backoff.ts'
import { skewMsMax } from '../lib/clock.ts'
import { codeOf, Problem } from '../lib/errors.ts'
import type { Json } from '../lib/json.ts'
import type { Sent } from '../mapping/apply.ts'
import { isLeftOut, type LeftOut } from '../mapping/option.ts'
import type { Options } from '../mapping/options.ts'
import { noOptions } from '../mapping/versions.ts'
import { type Learnt, openLearnt, type Resolved, resolve } from '../pipeline/resolve.ts'
import { textsOf } from '../pipeline/texts.ts'
import { sentFor } from '../pipeline/translate.ts'
import type { Call } from '../segment/call.ts'
import { messageIdAt } from '../segment/message-id.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { firstDestination } from '../storage/ports/entry.ts'
import type { Cursor, HistoryOutcome, LaneShown, Lookup, Query, ReadEntry, Shown } from '../storage/ports/lookup.ts'
import { isOfHistory } from './history/keys.ts'
import { type Explained, explain, ofIgnored, ofWithout } from './reasons.ts'
import { company, type Happened, type Step, stepsOf } from './timeline.ts'
import { inBody } from './trial.ts'

export type { Step } from './timeline.ts'

export interface Story {
  /** Oldest first. */
  steps: Step[]
  /** Why it is not delivered, in one sentence, and what to do. */
  why?: Explained & { reason: string }
}

/**
 * Tells what is known of an entry, at the destination that it is shown for. `happened`: its history, at all of them; without
 * it only the last answer is shown. Nothing that is sealed is opened here.
 */
export function tell(
  shown: Shown,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  happened: Happened = { steps: [], leftOut: 0 },
): Story {
  const { type, bytes, receivedAt, state, org } = shown
  const came = isOfHistory(shown) ? 'brought in from history' : 'received'
  const steps: Step[] = [{ at: receivedAt, what: `${came}: ${type}, ${bytes} bytes, and kept` }]
  if (shown.conversation) steps.push({ what: `belongs to conversation ${shown.conversation}` })
  if (shown.contact) steps.push({ what: `belongs to contact ${shown.contact}` })
  const told = stepsOf(happened, (destination) => endpointOf(install, destination))
  steps.push(...told)
  const because = (reason: string): Story => ({
    steps,
    why: { reason, ...explain(reason, endpointOf(install, shown.destination)) },
  })
  const lastHere = told.findLast(({ attempt }) => attempt?.destination === shown.destination)
  const isTold = (outcome: HistoryOutcome) => lastHere?.attempt?.outcome === outcome
  const answered = lastAnswer(shown, install)
  const settled = shown.settledAt === undefined ? {} : { at: shown.settledAt }
  switch (state) {
    case 'delivered':
      if (!isTold('delivered')) steps.push({ ...settled, what: `delivered${answered}` })
      return { steps }
    case 'dead':
      if (!isTold('dead')) steps.push({ ...settled, what: `dead${answered}` })
      return because(shown.reason ?? 'unknown')
    case 'quarantined':
      steps.push({ at: shown.settledAt ?? receivedAt, what: 'quarantined: it cannot be read as an event' })
      return because(shown.reason ?? 'unknown')
    case 'ignored':
      steps.push({ ...settled, what: 'left out here, and kept' })
      return shown.reason === undefined ? { steps } : because(shown.reason)
    case 'not_given':
      steps.push({ what: 'never given to this destination, such as what was received before it was added' })
      return { steps }
    case 'unclaimed':
      steps.push({ what: `waits for account ${org} to be installed` })
      return because('not_installed')
    default:
      return { ...waiting(shown, install, lanes, now, steps) }
  }
}

/** Who is sent to. */
function partnerOf({ destination }: Shown, install: Install | undefined): string {
  return endpointOf(install, destination) ?? 'Segment'
}

function lastAnswer(shown: Shown, install: Install | undefined): string {
  const { answer } = shown
  return answer ? `: ${partnerOf(shown, install)} answered ${answer.status}, ${company(answer)}` : ''
}

function waiting(
  shown: Shown,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  steps: Step[],
): Story {
  const isLookup = shown.state === 'asking'
  const lane = laneOf(shown, lanes)
  const partner = isLookup ? 'Drift' : partnerOf(shown, install)
  const isHere = ({ attempt }: Step) =>
    attempt !== undefined && attempt.destination === (isLookup ? 0 : shown.destination)
  const last = steps.findLast(isHere)?.attempt
  const since = last ? (last.nextAt ?? last.at + 1) : shown.receivedAt
  // What another event of the account has met, where this one was not in the request.
  if (lane?.triedAt !== undefined && lane.triedAt >= since && lane.lastError) {
    steps.push({ at: lane.triedAt, what: `the attempt at ${partner} failed: ${lane.lastError}` })
  }
  const next = nextAttempt(shown, lanes, now)
  if (next === 'now') steps.push({ at: now, what: 'its account is at work' })
  else if (next !== undefined) steps.push({ at: next, what: `${partner} is tried next` })
  const reason = lane?.hold ?? lane?.blocked ?? shown.reason ?? (lane && lane.failures > 0 ? lane.lastError : undefined)
  if (reason !== undefined) {
    return { steps, why: { reason, ...explain(reason, endpointOf(install, shown.destination)) } }
  }
  if (!install) return { steps, why: { reason: 'not_installed', ...explain('not_installed') } }
  return { steps, why: { reason: 'queued', means: 'it is queued', todo: 'nothing: it goes on by itself' } }
}

/** The lane that an entry waits in. */
export function laneOf(
  { state, destination: at }: Pick<Shown, 'state' | 'destination'>,
  lanes: readonly LaneShown[],
): LaneShown | undefined {
  return lanes.find(({ lane, destination }) =>
    state === 'asking' ? lane === 'ask' : lane === 'send' && destination === at,
  )
}

/** When an entry that waits is tried next, from `now` on; undefined while something holds its lane. */
export function nextAttempt(
  shown: Pick<Shown, 'state' | 'destination' | 'dueAt'>,
  lanes: readonly LaneShown[],
  now: number,
): number | 'now' | undefined {
  const lane = laneOf(shown, lanes)
  if (lane?.leaseUntil !== undefined && lane.leaseUntil > now) return 'now'
  if (lane?.hold) return undefined
  // What lies further ahead than any wait was said by a clock that has been set back since, and has come.
  const soon = (at: number | undefined) => (at === undefined || at > now + probeMsMax + skewMsMax ? now : at)
  return Math.max(soon(lane?.readyAt), soon(shown.dueAt), now)
}

export interface Opened {
  /** What came in, as it was kept: an envelope, or the text of an unreadable body. */
  cameIn: Json | string
  /** What goes out, or went out, for it. */
  goesOut?: Call
  /** A second event that goes with it in the same request. */
  goesWith?: Call
  /** What the destination's options did to it beyond what they say: one sentence each. */
  notes?: string[]
  /** What Drift answered when it was asked. */
  learnt?: Json
  /** Fields that have another shape than Drift documents, by their documented names, such as `data.schedulerId`. */
  oddFields?: string[]
}

interface Needs {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  lookup: Lookup
  accounts: Pick<Accounts, 'get'>
}

/** Opens what is sealed: personal data, so the caller writes it to the audit. */
export async function openEntry(
  { catalogue, keyring, lookup, accounts }: Needs,
  { id, destination }: Pick<Shown, 'id' | 'destination'>,
): Promise<Opened | undefined> {
  const entry = destination > 0 ? await lookup.read(id, destination) : await lookup.read(id)
  if (!entry) return undefined
  try {
    const read = inBody(entry)
    const text = (await textsOf(keyring, read.bodies).of(read.entry)).toString()
    const envelope = reopen(text)
    const cameIn = envelope ? { type: envelope.type, orgId: envelope.orgId, data: envelope.data } : text
    const oddFields = envelope ? oddFieldsOf(catalogue.get(envelope.type), envelope.data) : []
    const learnt = (await openLearnt(keyring, entry)) as Json & object
    const sentAs = messageIdAt(entry.messageId, destination, entry.sending)
    const one = await resolveRead({ catalogue, keyring }, { ...read, entry: { ...read.entry, sentAs } })
    const sent = one && sentFor(one, optionsAtReceipt(accounts.get(entry.org), entry))
    return {
      cameIn,
      ...(oddFields.length > 0 ? { oddFields } : {}),
      ...(sent ? shownOfSent(sent, one.learnt, endpointOf(accounts.get(entry.org), destination)) : {}),
      ...(Object.keys(learnt).length > 0 ? { learnt } : {}),
    }
  } catch (error) {
    if (error instanceof Problem) return { cameIn: `(${codeOf(error)}: ${error.message})` }
    throw error
  }
}

/** At most ten of them. */
function oddFieldsOf(page: EventPage | undefined, data: Json): string[] {
  const issues = page?.data.safeParse(data).error?.issues ?? []
  return [...new Set(issues.map(({ path }) => ['data', ...path].join('.')))].slice(0, 10)
}

/** The options that an entry is sent with at the destination whose state is shown. */
function optionsAtReceipt(install: Install | undefined, { mapping, destination }: ReadEntry): Options {
  if (!install) return noOptions
  return optionsAt(install, destination || firstDestination, mapping)
}

function shownOfSent(
  sent: Sent | LeftOut,
  { extraRefused, without }: Learnt,
  endpoint: string | undefined,
): Pick<Opened, 'goesOut' | 'goesWith' | 'notes'> {
  const unknown =
    without === undefined ? [] : [`Drift did not say what its options take of the contact: ${ofWithout[without][0]}`]
  if (isLeftOut(sent)) return { notes: [ofIgnored[sent.leftOut][0], ...unknown] }
  const notes = [
    ...unknown,
    ...sent.leftOff.map((name) => `the option ${name} was left off: with it the message would be over 32,000 bytes`),
    ...(extraRefused
      ? [
          `${endpoint ?? 'Segment'} refused the Live Chat event that was to go with it (${extraRefused}), and took this one`,
        ]
      : []),
  ]
  return { goesOut: sent.call, ...(sent.extra ? { goesWith: sent.extra } : {}), ...(notes.length > 0 ? { notes } : {}) }
}

export type Known = Extract<Resolved, { is: 'known' }>

/** An entry as the pipeline resolves it, with what has been learnt of it; undefined when it is not known whose it is. */
export async function resolveRead(
  needs: Pick<Needs, 'catalogue' | 'keyring'>,
  { entry, bodies }: ReturnType<typeof inBody>,
): Promise<Known | undefined> {
  const remembered = new Map(entry.contact && entry.conversation ? [[entry.conversation, entry.contact] as const] : [])
  const conversations = { recall: async () => remembered, remember: async () => {} }
  const [one] = await resolve({ ...needs, conversations }, entry.org, { entries: [entry], bodies })
  return one?.is === 'known' ? one : undefined
}

/** Everything that a query finds, page by page, for as long as it is wanted. */
export async function* findAll(lookup: Lookup, query: Query, pageSize = 500): AsyncGenerator<Shown[]> {
  let next: Cursor | undefined
  do {
    const page = await lookup.find(query, { limit: pageSize, ...(next ? { before: next } : {}) })
    if (page.entries.length > 0) yield page.entries
    next = page.next
  } while (next)
}
