/** What people ask for in the address of a list, read as a query of the store; and where a list goes on. */
import { timingSafeEqual } from 'node:crypto'
import type { Accounts } from '../../accounts/accounts.ts'
import { type Destination, destinationsOf } from '../../accounts/destinations.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { noSettings } from '../../accounts/settings.ts'
import { deletionType } from '../../drift/envelope.ts'
import { catalogue } from '../../events/index.ts'
import type { Clock } from '../../lib/clock.ts'
import { unseenProblem } from '../../lib/pasted.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Cursor, LaneShown, Lookup, Query, ShownState } from '../../storage/ports/lookup.ts'
import { searchTermIn } from './search.ts'
import { type Word, words } from './ui/vocabulary.ts'

/** What a person filters by, as it stands in the address. */
export interface Filter {
  /** Of the search box. */
  q: string
  type: string
  state: string
  reason: string
  /** The last hours or days, in place of from and to. */
  range: string
  from: string
  to: string
  /** The number of the destination whose states are meant. */
  destination: string
}

export const filterNames = [
  'q',
  'type',
  'state',
  'reason',
  'range',
  'from',
  'to',
  'destination',
] as const satisfies (keyof Filter)[]
/** Of everything but the search box, which has a limit of its own. */
const lengthMax = 100

const hourMs = 3_600_000

export const ranges: Readonly<Record<string, { label: string; ms: number }>> = {
  '1h': { label: 'Last hour', ms: hourMs },
  '24h': { label: 'Last 24 hours', ms: 24 * hourMs },
  '7d': { label: 'Last 7 days', ms: 7 * 24 * hourMs },
  '30d': { label: 'Last 30 days', ms: 30 * 24 * hourMs },
}

/** What may be chosen of the times, and of the types of events, where a list is narrowed by them. */
export const timeChoices: readonly (readonly [string, string])[] = [
  ['', 'Any time'],
  ...Object.entries(ranges).map(([name, { label }]) => [name, label] as const),
]
export const typeChoices: readonly (readonly [string, string])[] = [
  ['', 'Any type'],
  ...[...catalogue.keys()].map((type) => [type, type] as const),
]

/** How the state of a list stands in its address. */
export const stateNames = {
  delivered: 'delivered',
  queued: 'queued',
  'looking-up': 'lookingUp',
  blocked: 'blocked',
  failed: 'failed',
  'not-recognized': 'notRecognized',
  deletion: 'deletion',
  ignored: 'ignored',
} as const satisfies Readonly<Record<string, Word>>

export type StateName = keyof typeof stateNames

export function isStateName(text: string): text is StateName {
  return Object.hasOwn(stateNames, text)
}

export function labelOf(state: StateName): string {
  return words[stateNames[state]].label
}

export function filterOf(asked: (name: string) => string | undefined): Filter {
  const filter = {} as Filter
  for (const name of filterNames) filter[name] = (asked(name) ?? '').trim()
  if (filter.from !== '' || filter.to !== '') filter.range = ''
  filter.state = asOperatorsSay.get(filter.state) ?? filter.state
  return filter
}

/** The store's words, which stand in documents for operators, lead to the same lists. */
const asOperatorsSay: ReadonlyMap<string, StateName> = new Map([
  ['dead', 'failed'],
  ['quarantined', 'not-recognized'],
  ['waiting', 'queued'],
])

export function isFiltered(filter: Filter): boolean {
  return filterNames.some((name) => filter[name] !== '')
}

/** What decides which of the waiting events are blocked, and when a range begins. */
export interface At {
  now: number
  lanes: readonly LaneShown[]
  /** Of the account, the first one first: its states are those of lists that name none. */
  destinations: readonly Destination[]
}

interface AtNeeds {
  storage: { lookup: Pick<Lookup, 'lanes'> }
  accounts: Pick<Accounts, 'get'>
  clock: Clock
}

export async function atNow({ storage, accounts, clock }: AtNeeds, org: Org): Promise<At> {
  const install = accounts.get(org) ?? { org, settings: noSettings }
  return { now: clock.now(), lanes: await storage.lookup.lanes(org), destinations: destinationsOf(install) }
}

/** The query, always of this account; or what cannot be understood, in a sentence. */
export function queryOf(org: Org, filter: Filter, at: At): (Query & { org: Org }) | { wrong: string } {
  const { q, type, state, reason, range } = filter
  const others = filterNames.filter((name) => name !== 'q')
  const tooLong = others.find((name) => filter[name].length > lengthMax)
  if (tooLong) return { wrong: `“${tooLong}” is longer than anything here.` }
  // Nothing here has one, so nothing would be found without a word why; and PostgreSQL takes no text with a NUL in it.
  const odd = others.find((name) => unseenProblem(filter[name]))
  if (odd) return { wrong: `“${odd}” ${unseenProblem(filter[odd])}.` }
  const term = searchTermIn(q)
  if ('wrong' in term) return term
  const { destinations } = at
  const named = destinations.find(({ number }) => String(number) === filter.destination)
  if (filter.destination !== '' && !named) return { wrong: 'This account has no such destination any more.' }
  if (state !== '' && !isStateName(state)) return { wrong: 'There is no such state.' }
  if (range !== '' && !Object.hasOwn(ranges, range)) return { wrong: 'There is no such range of time.' }
  const from = range === '' ? timeOf(filter.from) : at.now - ranges[range]!.ms
  const to = range === '' ? timeOf(filter.to) : undefined
  if (Number.isNaN(from) || Number.isNaN(to))
    return { wrong: 'A time looks like 2026-11-24 or 2026-11-24T08:00, in UTC.' }
  if (from !== undefined && to !== undefined && from >= to)
    return { wrong: 'The first time must be earlier than the last one.' }
  return {
    org,
    ...term,
    ...(type === '' ? {} : { type }),
    ...(state === '' ? {} : statesOf(state as StateName, at, named ?? destinations[0]!)),
    ...(reason === '' ? {} : { reason }),
    ...(named ? { destination: named.number } : {}),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

/** What holds a lane holds all that waits in it. */
function statesOf(
  state: StateName,
  { lanes }: At,
  { number }: Destination,
): Pick<Query, 'states' | 'reason' | 'notReason'> {
  const isHeld = (of: LaneShown['lane']) => {
    const at = of === 'ask' ? 0 : number
    const own = lanes.find(({ lane, destination }) => lane === of && destination === at)
    return (own?.hold ?? own?.blocked) !== undefined
  }
  const waiting = (held: boolean): ShownState[] => (isHeld('send') === held ? ['waiting'] : [])
  const asking = (held: boolean): ShownState[] => (isHeld('ask') === held ? ['asking'] : [])
  switch (state) {
    case 'delivered':
      return { states: ['delivered'] }
    case 'queued':
      return { states: [...waiting(false), ...asking(false), 'unclaimed'] }
    case 'looking-up':
      return { states: asking(false) }
    case 'blocked':
      return { states: [...waiting(true), ...asking(true)] }
    case 'failed':
      return { states: ['dead'] }
    case 'not-recognized':
      return { states: ['quarantined'], notReason: deletionType }
    case 'deletion':
      return { states: ['quarantined'], reason: deletionType }
    // What came before a destination was added is offered where that one is named.
    case 'ignored':
      return { states: ['ignored', 'not_given'] }
  }
}

function timeOf(text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/.test(text)) return Number.NaN
  return Date.parse(text.includes('T') ? `${text}Z` : text)
}

/** The address of a list with this filter, and what else it needs. */
export function addressOf(path: string, filter: Partial<Filter>, more: Record<string, string> = {}): string {
  const said = Object.entries({ ...filter, ...more }).filter(([, value]) => value !== '')
  return said.length === 0 ? path : `${path}?${new URLSearchParams(said)}`
}

/** A place in one account's list, which cannot be made up and which no other account can use. */
export function writeCursor(keyring: Keyring, org: Org, { id }: Cursor): string {
  return `${id}.${mark(keyring, org, id).toString('base64url')}`
}

/** Undefined when it was not written here for this account. */
export function readCursor(keyring: Keyring, org: Org, text: string): Cursor | undefined {
  const [, id, given] = /^(\d{1,15})\.([\w-]{22})$/.exec(text) ?? []
  if (given === undefined) return undefined
  const cursor = { id: Number(id) }
  const wanted = mark(keyring, org, cursor.id)
  return timingSafeEqual(Buffer.from(given, 'base64url'), wanted) ? cursor : undefined
}

function mark(keyring: Keyring, org: Org, id: number): Buffer {
  return keyring.identity(`cursor ${org} ${id}`)
}
