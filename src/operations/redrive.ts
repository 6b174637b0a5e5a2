/**
 * Sending again what was quarantined, is dead, was ignored or delivered, to one destination or to all: under the messageId it
 * always had there or, where a person wants that of what was delivered, as a new event, which is counted twice.
 */

import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { optionsVersionOf } from '../accounts/options.ts'
import { type EventPage, mappingOf } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import { stampOf } from '../mapping/versions.ts'
import type { Destination, Org, State } from '../storage/ports/entry.ts'
import type { Inbox, Redriven } from '../storage/ports/inbox.ts'
import type { Lookup, Query, Shown, ShownState } from '../storage/ports/lookup.ts'
import { findAll } from './inspect.ts'
import { passesOf } from './passes.ts'
import { type Tried, tryAgain } from './trial.ts'

/** `then`: by the mapping of their receipt. `today`: by today's. */
export type Mapping = 'then' | 'today'

/** What can be driven again; the rest waits anyway. */
export const redrivable: readonly ShownState[] = ['dead', 'quarantined', 'delivered', 'ignored', 'not_given']
/** What is, unless a person asks for more: sending delivered events again is rarely meant. */
export const failed: readonly State[] = ['dead', 'quarantined']

export interface Redrive {
  found: number
  moved: number
  /** Why some stay where they are, by reason: they would fail again. */
  stays: Record<string, number>
  /** Those among the moved that Segment has refused before, by reason: it may do so again. */
  refused: Record<string, number>
  /** The first three that go. */
  samples: Shown[]
}

export interface MoveNeeds {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  accounts: Accounts
  lookup: Lookup
}

export interface RedriveNeeds extends MoveNeeds {
  inbox: Inbox
  clock: Clock
}

/**
 * Says what would be moved of what the query finds, at the destination that it names, else at each in turn, and changes nothing.
 * An event counts once for each destination. `goOn` is asked after each page; false ends it there.
 */
export async function previewRedrive(
  needs: MoveNeeds,
  query: Query,
  { mapping, goOn = () => true }: { mapping: Mapping; goOn?: (soFar: Redrive) => boolean },
): Promise<Redrive> {
  const soFar: Redrive = { found: 0, moved: 0, stays: {}, refused: {}, samples: [] }
  for (const { destination, isMeant } of passesOf(needs.accounts, query)) {
    for await (const found of findAll(needs.lookup, { ...redrivableOf(query), destination })) {
      const page = found.filter(isMeant)
      const { moves, going, stays } = await movesOf(needs, page, { query, mapping })
      soFar.samples.push(...going.slice(0, 3 - soFar.samples.length))
      for (const [reason, many] of Object.entries(stays)) count(soFar.stays, reason, many)
      for (const { state, reason } of going) if (state === 'dead') count(soFar.refused, reason ?? 'unknown')
      soFar.found += page.length
      soFar.moved += moves.length
      if (!goOn(soFar)) return soFar
    }
  }
  return soFar
}

/**
 * How many events are looked at where this query is driven again: once for each destination, as `previewRedrive` finds them.
 * `isCut`: there are more than could be counted.
 */
export async function countRedrivable(
  { accounts, lookup }: Pick<MoveNeeds, 'accounts' | 'lookup'>,
  query: Query & { org: Org },
): Promise<{ total: number; isCut: boolean }> {
  const wanted = { ...query, states: redrivableOf(query).states! }
  const passes = passesOf(accounts, query)
  const countedAt = async (destination: Destination, states: readonly ShownState[]) => {
    const { rows, isCut } = await lookup.tally({ ...wanted, states, destination })
    return { total: rows.reduce((sum, one) => sum + one.count, 0), isCut }
  }
  const all = await Promise.all(passes.map(({ destination }) => countedAt(destination, wanted.states)))
  const total = all.reduce((sum, one) => sum + one.total, 0)
  const isCut = all.some((one) => one.isCut)
  if (passes.length === 1) return { total, isCut }
  // What was given over to no destination is found at each of them, and is of the first alone.
  const ungiven = wanted.states.filter((state) => failed.some((one) => one === state))
  const { total: many } = await countedAt(0, ungiven)
  return { total: total - many * (passes.length - 1), isCut }
}

function count(outcomes: Record<string, number>, reason: string, by = 1): void {
  outcomes[reason] = (outcomes[reason] ?? 0) + by
}

/** The same query, of what can be driven again: what a destination never had only where a person names it. */
export function redrivableOf(query: Query): Query {
  const isWanted = (state: ShownState) =>
    redrivable.includes(state) && (state !== 'not_given' || query.destination !== undefined)
  return { ...query, states: (query.states ?? failed).filter(isWanted) }
}

/** What a person has chosen. */
export interface Chosen {
  /** Whether it names a destination says whether what was given over to none goes to that one alone. */
  query: Pick<Query, 'destination'>
  mapping: Mapping
  /** What was delivered is sent under a messageId that the destination has not seen, and not repeated. */
  asNew?: boolean
}

/** What goes of one page of a list, and why the rest stays. */
export interface Moves {
  /** Oldest first, so that it goes out in the order in which it came. */
  moves: Redriven[]
  /** The same entries as they stand now, in the order of the page. */
  going: Shown[]
  stays: Record<string, number>
}

/** The page is of one destination: of that one's states are its entries. */
export async function movesOf(
  needs: MoveNeeds,
  page: readonly Shown[],
  { query, mapping, asNew = false }: Chosen,
): Promise<Moves> {
  const found: Moves = { moves: [], going: [], stays: {} }
  for (const shown of page) {
    const move = await moveOf(needs, shown, mapping)
    if (typeof move === 'string') count(found.stays, move)
    else {
      const destination = shown.destination === 0 ? query.destination : shown.destination
      const at = { ...(destination === undefined ? {} : { destination }), ...(asNew ? { asNew } : {}) }
      found.moves.unshift({ ...move, ...at })
      found.going.push(shown)
    }
  }
  return found
}

/**
 * One event, at once, to every destination where it is over or, with `isHereAlone`, to the one that it is shown for; false
 * when it stays where it is. `who` wants it, in words. `asNew`: as in `Chosen`.
 */
export async function redriveOne(
  needs: RedriveNeeds,
  shown: Shown,
  {
    mapping,
    who,
    isHereAlone = false,
    asNew = false,
  }: { mapping: Mapping; who: string; isHereAlone?: boolean; asNew?: boolean },
): Promise<boolean> {
  if (!redrivable.includes(shown.state)) return false
  const move = await moveOf(needs, shown, mapping)
  if (typeof move === 'string') return false
  const at = {
    ...(isHereAlone && shown.destination > 0 ? { destination: shown.destination } : {}),
    ...(asNew ? { asNew } : {}),
  }
  return (await needs.inbox.redrive([{ ...move, ...at }], needs.clock.now(), who)) === 1
}

/** The move, or in a word why it cannot be, or would fail again. */
async function moveOf(needs: MoveNeeds, shown: Shown, mapping: Mapping): Promise<Redriven | string> {
  const { catalogue, accounts } = needs
  const isToday = mapping === 'today' || shown.mapping === 0
  const byToday = (page: EventPage, org: Org) => {
    const install = accounts.get(org)
    return isToday ? stampOf(mappingOf(page), install ? optionsVersionOf(install) : 0) : shown.mapping
  }
  const own = catalogue.get(shown.type)
  // What Segment took becomes the same call by the same mapping.
  const isTried = shown.state === 'delivered' && own !== undefined && byToday(own, shown.org) === shown.mapping
  // mutant: sends again what must fail again
  const read: Tried = isTried
    ? { is: 'usable', org: shown.org, type: shown.type }
    : await tryAgain(needs, shown, { byToday, isToday })
  if (read.is === 'fails') return read.reason
  const { org, type, once } = read
  const page = catalogue.get(type)
  if (!page) return 'type_unknown'
  const install = accounts.get(org)
  if (!install) return 'not_installed'
  if (install.state === 'disconnected') return 'disconnected'
  return {
    id: shown.id,
    ...(org === shown.org ? {} : { org }),
    ...(type === shown.type ? {} : { type }),
    ...(isToday ? { mapping: byToday(page, org) } : {}),
    ...(once === undefined ? {} : { once }),
  }
}
