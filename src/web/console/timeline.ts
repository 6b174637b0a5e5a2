/** What happened to one event, step by step, as an admin reads it; what is to come stands last. */
import { html } from 'hono/html'
import type { Destination } from '../../accounts/destinations.ts'
import { isOfHistory } from '../../operations/history/keys.ts'
import { laneOf, nextAttempt } from '../../operations/inspect.ts'
import type { Happened } from '../../operations/timeline.ts'
import type { LaneShown, Shown } from '../../storage/ports/lookup.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { counted, number, when } from './ui/parts.ts'
import { wordOf, words } from './ui/vocabulary.ts'

type Happening = Happened['steps'][number]

export interface Past {
  shown: Shown
  lanes: readonly LaneShown[]
  /** Of the account. */
  destinations: readonly Pick<Destination, 'number' | 'name' | 'endpoint'>[]
  /** Oldest first; behind the first five `leftOut` are left out. */
  happened: Happened
  now: number
}

interface Step {
  /** Undefined: it is not known when. */
  at?: number | undefined
  what: string
  isBad?: boolean
  /** What a person may want to know besides. */
  more?: Html | string
  /** What the other side answered. */
  quote?: string | undefined
}

/** Attempts that are left out stand behind so many. */
const firstKept = 5

export function timeline(past: Past): Html {
  const { shown, happened } = past
  const { receivedAt, bytes, contact, conversation } = shown
  const told = happened.steps.filter((step) => isTold(step, past)).flatMap((step) => stepOf(step, past) ?? [])
  const where = past.destinations.length > 1 ? ', at all destinations together' : ''
  const gap = { what: `${counted(happened.leftOut, 'more attempt')}${where}, of which only the number is kept` }
  const steps: Step[] = [
    {
      at: receivedAt,
      what: `${isOfHistory(shown) ? 'Brought in from Drift’s history' : 'Received from Drift'} and stored, ${number(bytes)} bytes`,
    },
    ...(conversation ? [{ what: `Belongs to conversation ${conversation}` }] : []),
    ...(contact ? [{ what: `Belongs to contact ${contact}` }] : []),
    ...(happened.leftOut > 0 ? [...told.slice(0, firstKept), gap, ...told.slice(firstKept)] : told),
    ...outcomeOf(past),
  ]
  return html`<ol class="way">${steps.map(
    ({ at, what, isBad, more, quote }) =>
      html`<li class="${isBad ? 'bad' : at === undefined ? 'known' : ''}">${what}${more ? html`<span class="answer">${more}</span>` : ''}${quote ? html`<q class="answer">${quote}</q>` : ''}${at === undefined ? '' : when(at)}</li>`,
  )}</ol>`
}

/** What happened at another destination stands on that one's page; of one that was removed there is none. */
function isTold({ destination }: Happening, { shown, destinations }: Past): boolean {
  const isElsewhere = destination > 0 && shown.destination > 0 && destination !== shown.destination
  return !isElsewhere || destinations.every(({ number }) => number !== destination)
}

function stepOf({ destination, outcome, attempt, resent }: Happening, past: Past): Step | undefined {
  const where = whereOf(destination, past)
  if (resent) return { at: resent.at, what: `Resent by ${resent.who}${where}` }
  if (!attempt) return undefined
  const endpoint = endpointOf(destination, past)
  const partner = destination === 0 ? 'Drift' : (endpoint ?? 'Segment')
  const { at, ms, status, many, reason, excerpt, nextAt } = attempt
  const took = html`${inSeconds(ms)}${many > 1 ? `, with ${counted(many - 1, 'other event')} in the request` : ''}${nextAt === undefined ? '' : html`; next attempt ${when(nextAt)}`}`
  const answer = reason === undefined ? `${partner} returned ${status}` : unended(adviceAt(reason, endpoint).happened)
  const isBad = outcome === 'later' || outcome === 'dead' || outcome === 'quarantined'
  return { at, what: `${headings[outcome]}${where}: ${answer}`, isBad, more: took, quote: excerpt }
}

/** At which destination, where it may be one of several. */
function whereOf(destination: number, past: Past): string {
  const name = nameOf(destination, past)
  return name === undefined ? '' : ` (${name})`
}

function nameOf(destination: number, { destinations, happened, shown }: Past): string | undefined {
  const isAnother = (number: number) => number > 0 && shown.destination > 0 && number !== shown.destination
  const isOfSeveral = destinations.length > 1 || happened.steps.some((step) => isAnother(step.destination))
  if (destination === 0 || !isOfSeveral) return undefined
  return destinations.find(({ number }) => number === destination)?.name ?? `destination ${destination}, removed`
}

/** Of a destination that was removed it is not known any more whether it was Segment. */
function endpointOf(destination: number, { destinations }: Past): string | undefined {
  const one = destinations.find(({ number }) => number === destination)
  return one || destination === 0 ? one?.endpoint : 'the destination'
}

const headings: Readonly<Record<Happening['outcome'], string>> = {
  delivered: 'Delivered',
  ignored: 'Not sent',
  dead: 'Failed',
  quarantined: 'Not recognized',
  later: 'Attempt failed',
  resent: 'Resent',
  filtered: 'Left out by the mapping',
  no_consent: 'Not sent without consent',
  answered: 'Contact looked up',
}

function inSeconds(ms: number): string {
  return ms < 1_000 ? `${number(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** Where it is now, unless the last attempt has said so. */
function outcomeOf(past: Past): Step[] {
  const { shown, happened } = past
  const { state, reason, settledAt, answer, destination } = shown
  const last = happened.steps.findLast((step) => step.destination === destination)
  const [where, endpoint] = [whereOf(destination, past), endpointOf(destination, past)]
  if (last?.attempt && last.outcome === state) return []
  const short = reason === undefined ? '' : adviceAt(reason, endpoint).short
  switch (state) {
    case 'delivered':
      return [
        {
          at: settledAt,
          what: `Delivered${where}${answer ? `: ${endpoint ?? 'Segment'} returned ${answer.status}` : ''}`,
        },
      ]
    case 'ignored':
      return [{ at: settledAt, what: `Not sent${where}: the destination leaves it out` }]
    case 'dead':
      return [{ at: settledAt, what: `Failed${where}: ${short}`, isBad: true }]
    case 'quarantined':
      return [{ at: settledAt ?? shown.receivedAt, what: `${words[wordOf(shown)].label}: ${short}`, isBad: true }]
    case 'unclaimed':
      return [{ what: 'Waits until its account is connected' }]
    case 'not_given':
      return [{ what: `Never given to this destination${where}` }]
    default:
      return waiting(past)
  }
}

function waiting(past: Past): Step[] {
  const { shown, lanes, happened, now } = past
  const isLookup = shown.state === 'asking'
  const lane = laneOf(shown, lanes)
  const steps: Step[] = []
  const at = isLookup ? 0 : shown.destination
  const [where, endpoint] = [whereOf(at, past), endpointOf(at, past)]
  const own = happened.steps.findLast(({ attempt, destination }) => attempt && destination === at)?.attempt
  // What another event of the account has met, where this one was not in the request.
  const since = own ? (own.nextAt ?? own.at + 1) : shown.receivedAt
  if (lane?.triedAt !== undefined && lane.triedAt >= since && lane.lastError)
    steps.push({
      at: lane.triedAt,
      what: `Attempt failed${where}: ${unended(adviceAt(lane.lastError, endpoint).happened)}`,
      isBad: true,
    })
  const next = nextAttempt(shown, lanes, now)
  if (next === 'now') steps.push({ what: isLookup ? 'Drift is being asked' : `It is being sent${where}` })
  else if (next !== undefined)
    steps.push({
      at: next,
      what: `Next attempt at ${isLookup ? 'Drift' : (nameOf(at, past) ?? endpoint ?? 'Segment')}`,
    })
  return steps
}

function unended(sentence: string): string {
  return sentence.endsWith('.') ? sentence.slice(0, -1) : sentence
}
