/** Sending again what was quarantined, is dead or was delivered: under the messageId it always had. */

import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { optionsVersionOf } from '../accounts/options.ts'
import { type EventPage, mappingOf } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import { stampOf } from '../mapping/versions.ts'
import type { Org, State } from '../storage/ports/entry.ts'
import type { Inbox, Redriven } from '../storage/ports/inbox.ts'
import type { Lookup, Query, Shown, ShownState } from '../storage/ports/lookup.ts'
import { findAll } from './inspect.ts'
import { tryAgain } from './trial.ts'

/** `then`: by the mapping of their receipt. `today`: by today's. */
export type Mapping = 'then' | 'today'

/** What can be driven again; the rest waits anyway. */
export const redrivable: readonly ShownState[] = ['dead', 'quarantined', 'delivered', 'ignored']
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

/** Says what would be moved of what the query finds, and changes nothing. `goOn` is asked after each page; false ends it there. */
export async function previewRedrive(
  needs: MoveNeeds,
  query: Query,
  { mapping, goOn = () => true }: { mapping: Mapping; goOn?: (soFar: Redrive) => boolean },
): Promise<Redrive> {
  const sofar: Redrive = { found: 0, moved: 0, stays: {}, refused: {}, samples: [] }
  for await (const page of findAll(needs.lookup, redrivableOf(query))) {
    const { moves, going, stays } = await movesOf(needs, page, mapping)
    sofar.samples.push(...going.slice(0, 3 - sofar.samples.length))
    for (const [reason, many] of Object.entries(stays)) count(sofar.stays, reason, many)
    for (const { state, reason } of going) if (state === 'dead') count(sofar.refused, reason ?? 'unknown')
    sofar.found += page.length
    sofar.moved += moves.length
    if (!goOn(sofar)) break
  }
  return sofar
}

function count(sums: Record<string, number>, reason: string, by = 1): void {
  sums[reason] = (sums[reason] ?? 0) + by
}

/** The same query, of what can be driven again. */
export function redrivableOf(query: Query): Query {
  return { ...query, states: (query.states ?? failed).filter((state) => redrivable.includes(state)) }
}

/** What goes of one page of a list, and why the rest stays. */
export interface Moves {
  /** Oldest first, so that it goes out in the order in which it came. */
  moves: Redriven[]
  /** The same entries as they stand now, in the order of the page. */
  going: Shown[]
  stays: Record<string, number>
}

export async function movesOf(needs: MoveNeeds, page: readonly Shown[], mapping: Mapping): Promise<Moves> {
  const found: Moves = { moves: [], going: [], stays: {} }
  for (const shown of page) {
    const move = await moveOf(needs, shown, mapping)
    if (typeof move === 'string') count(found.stays, move)
    else {
      found.moves.unshift(move)
      found.going.push(shown)
    }
  }
  return found
}

/** One event, at once; false when it stays where it is. `who` wants it, in words. */
export async function redriveOne(
  needs: RedriveNeeds,
  shown: Shown,
  { mapping, who }: { mapping: Mapping; who: string },
): Promise<boolean> {
  if (!redrivable.includes(shown.state)) return false
  const { moves } = await movesOf(needs, [shown], mapping)
  return (await needs.inbox.redrive(moves, needs.clock.now(), who)) === 1
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
  const read = isTried ? ({ is: 'usable', ...shown } as const) : await tryAgain(needs, shown, { byToday, isToday })
  if (read.is === 'fails') return read.reason
  const { org, type } = read
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
  }
}
