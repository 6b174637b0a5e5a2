/** What people ask for in the address of a list, read as a query of the store; and where a list goes on. */
import { timingSafeEqual } from 'node:crypto'
import type { Keyring } from '../../accounts/keyring.ts'
import { unseenProblem } from '../../lib/pasted.ts'
import type { Org, State } from '../../storage/ports/entry.ts'
import type { Cursor, Query } from '../../storage/ports/lookup.ts'
import { words } from './ui/vocabulary.ts'

/** What a person filters by, as it stands in the form. */
export interface Filter {
  type: string
  state: string
  contact: string
  conversation: string
  message: string
  from: string
  to: string
}

const names = ['type', 'state', 'contact', 'conversation', 'message', 'from', 'to'] as const satisfies (keyof Filter)[]
/** Longer than anything that is searched by: a messageId has at most 100 characters. */
const lengthMax = 100

const statesBy: Readonly<Record<string, readonly State[]>> = {
  delivered: ['delivered'],
  waiting: ['waiting', 'asking'],
  quarantined: ['quarantined'],
  dead: ['dead'],
  failed: ['quarantined', 'dead'],
  queued: ['waiting', 'asking'],
  blocked: ['waiting', 'asking'],
  'looking-up': ['asking'],
  'not-recognized': ['quarantined'],
  deletion: ['quarantined'],
}

/** What stands in the form's list of states. */
export const stateChoices: readonly (readonly [value: string, label: string])[] = [
  ['', 'All states'],
  ['delivered', words.delivered.label],
  ['waiting', words.queued.label],
  ['quarantined', words.notRecognized.label],
  ['dead', words.failed.label],
]

export function filterOf(asked: (name: string) => string | undefined): Filter {
  const filter = {} as Filter
  for (const name of names) filter[name] = (asked(name) ?? '').trim()
  return filter
}

/** The query, always of this account; or what cannot be understood, in a sentence. */
export function queryOf(org: Org, filter: Filter): Query | { wrong: string } {
  const { type, state, contact, conversation, message } = filter
  const tooLong = names.find((name) => filter[name].length > lengthMax)
  if (tooLong) return { wrong: `“${tooLong}” is longer than anything here.` }
  // Nothing here has one, so nothing would be found without a word why; and PostgreSQL takes no text with a NUL in it.
  const odd = names.find((name) => unseenProblem(filter[name]))
  if (odd) return { wrong: `“${odd}” ${unseenProblem(filter[odd])}.` }
  const notANumber = (['contact', 'conversation'] as const).find(
    (name) => filter[name] !== '' && !/^\d{1,19}$/.test(filter[name]),
  )
  if (notANumber) return { wrong: `The ${notANumber} is a number in Drift.` }
  if (state !== '' && !Object.hasOwn(statesBy, state)) return { wrong: 'There is no such state.' }
  const from = timeOf(filter.from)
  const to = timeOf(filter.to)
  if (Number.isNaN(from) || Number.isNaN(to))
    return { wrong: 'A time looks like 2026-11-24 or 2026-11-24T08:00, in UTC.' }
  return {
    org,
    ...(type === '' ? {} : { type }),
    ...(state === '' ? {} : { states: statesBy[state]! }),
    ...(contact === '' ? {} : { contact }),
    ...(conversation === '' ? {} : { conversation }),
    ...(message === '' ? {} : { message }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
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

/** A place in one account's list, which nobody can make up and no other account can use. */
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
