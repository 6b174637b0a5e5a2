/** An event's attempts, in order and in words: look-ups at Drift, requests to destinations, and that it was sent again by whom. */
import { isUnreadable, type Keyring } from '../accounts/keyring.ts'
import { openExcerpt } from '../pipeline/excerpt.ts'
import type { Attempt, Destination } from '../storage/ports/entry.ts'
import type { EntryHistory, HistoryStep, Lookup } from '../storage/ports/lookup.ts'

/** What happened to an event, in words. */
export interface Step {
  /** Undefined: not yet, or not known when. */
  at?: number
  what: string
  /** Of a request to Drift or a destination. */
  attempt?: AttemptTold
}

/** A history with its excerpts opened. */
export interface Happened extends Omit<EntryHistory, 'steps'> {
  steps: (Omit<HistoryStep, 'attempt'> & { attempt?: Opened })[]
}

type Opened = Omit<Attempt, 'excerpt'> & { excerpt?: string }

/** One request, for people and for JSON. Times in milliseconds since 1970. */
export interface AttemptTold {
  at: number
  /** `Drift`, `Segment`, the name of an endpoint in its place, or `the destination`, where it was removed since. */
  partner: string
  /** 0 where Drift was asked. */
  destination: Destination
  outcome: HistoryStep['outcome']
  /** The HTTP status; 0 without an answer. */
  status: number
  durationMs: number
  /** Events in the request. */
  events: number
  /** At which try of the account. */
  try: number
  reason?: string
  /** The beginning of an answer that was not a success. */
  excerpt?: string
  nextAt?: number
}

/** Everything that was tried for an entry. An excerpt that does not open is left out. */
export async function happenedTo(
  { lookup, keyring }: { lookup: Lookup; keyring: Keyring },
  id: number,
): Promise<Happened> {
  const { steps, leftOut } = await lookup.history(id)
  const opened = steps.map(async ({ attempt, ...step }) =>
    attempt ? { ...step, attempt: await openedOf(keyring, attempt) } : step,
  )
  return { steps: await Promise.all(opened), leftOut }
}

async function openedOf(keyring: Keyring, attempt: Attempt): Promise<Opened> {
  const { excerpt: _, ...rest } = attempt
  try {
    const excerpt = await openExcerpt(keyring, attempt)
    return { ...rest, ...(excerpt === undefined ? {} : { excerpt }) }
  } catch (error) {
    if (isUnreadable(error)) return rest
    throw error
  }
}

/** Attempts that are left out stand behind the first five. */
const firstKept = 5

/** `endpointAt`: what stands in Segment's place at a destination, if anything. */
export function stepsOf(
  { steps, leftOut }: Happened,
  endpointAt: (destination: Destination) => string | undefined,
): Step[] {
  const isOfSeveral = steps.some(({ destination }) => destination > 1)
  const told = steps.map((step) => stepOf(step, isOfSeveral, endpointAt(step.destination)))
  const gap = { what: `${leftOut} more attempts, of which only the number is kept` }
  return (leftOut > 0 ? [...told.slice(0, firstKept), gap, ...told.slice(firstKept)] : told).flatMap((one) => one ?? [])
}

function stepOf(
  { destination, outcome, attempt, resent }: Happened['steps'][number],
  isOfSeveral: boolean,
  endpoint: string | undefined,
) {
  const where = isOfSeveral && destination > 0 ? ` at destination ${destination}` : ''
  if (resent) return { at: resent.at, what: `sent again${where} by ${resent.who}` }
  if (!attempt) return undefined
  const { at, ms, status, many, tries, reason, excerpt, nextAt } = attempt
  const partner = destination === 0 ? 'Drift' : (endpoint ?? 'Segment')
  const told: AttemptTold = {
    at,
    partner,
    destination,
    outcome,
    status,
    durationMs: ms,
    events: many,
    try: tries,
    ...(reason === undefined ? {} : { reason }),
    ...(excerpt === undefined ? {} : { excerpt }),
    ...(nextAt === undefined ? {} : { nextAt }),
  }
  return { at, what: `${wordsOf(outcome, destination)}${where}: ${inWords(told)}`, attempt: told }
}

function wordsOf(outcome: HistoryStep['outcome'], destination: Destination): string {
  if (outcome === 'later') return destination === 0 ? 'looked up, without success' : 'not delivered'
  return outcome === 'answered' ? 'looked up' : outcome
}

function inWords({
  partner,
  destination,
  status,
  reason,
  events,
  try: tries,
  durationMs,
  excerpt,
  nextAt,
}: AttemptTold): string {
  const answer = status > 0 ? `${partner} answered ${status}` : `${partner} did not answer`
  const why = reason === undefined || reason.endsWith(`_${status}`) ? '' : ` (${reason})`
  const request = destination > 0 ? `, ${company({ many: events, tries })}` : ''
  const quote = excerpt === undefined ? '' : `; it said: ${excerpt}`
  const next = nextAt === undefined ? '' : `; next attempt planned for ${new Date(nextAt).toISOString()}`
  return `${answer}${why}${request}, after ${durationMs} ms${next}${quote}`
}

/** With how many others, and after how many tries. */
export function company({ many, tries }: Pick<Attempt, 'many' | 'tries'>): string {
  return `${many === 1 ? 'sent alone' : `sent in a batch of ${many}`}, at the account's ${ordinal(tries)} try`
}

function ordinal(n: number): string {
  const suffix = ['th', 'st', 'nd', 'rd'][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? 'th'
  return `${n}${suffix}`
}
