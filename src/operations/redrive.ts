/** Sending again what was quarantined, is dead or was delivered: under the messageId it always had. */

import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { type EventPage, mappingOf } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { State } from '../storage/ports/entry.ts'
import type { Inbox, Redriven } from '../storage/ports/inbox.ts'
import type { Lookup, Query, Shown, ShownState } from '../storage/ports/lookup.ts'
import { findAll } from './inspect.ts'
import { tryAgain } from './trial.ts'

/** `then`: by the mapping of their receipt. `today`: by today's. */
export type Mapping = 'then' | 'today'

/** What can be driven again; the rest waits anyway. */
export const redrivable: readonly ShownState[] = ['dead', 'quarantined', 'delivered']
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

export interface RedriveNeeds {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  accounts: Accounts
  lookup: Lookup
  inbox: Inbox
  clock: Clock
}

/**
 * Goes through everything the query finds, newest first. `dryRun` changes nothing and says what would be. `goOn` is
 * asked after each page, with the numbers so far; false ends it there. What would fail again is not moved.
 */
export async function redrive(
  needs: RedriveNeeds,
  query: Query,
  { mapping, dryRun, goOn = () => true }: { mapping: Mapping; dryRun: boolean; goOn?: (soFar: Redrive) => boolean },
): Promise<Redrive> {
  const { lookup, inbox, clock } = needs
  const sofar: Redrive = { found: 0, moved: 0, stays: {}, refused: {}, samples: [] }
  const states = (query.states ?? failed).filter((state) => redrivable.includes(state))
  for await (const page of findAll(lookup, { ...query, states })) {
    const moves: Redriven[] = []
    for (const shown of page) {
      const move = await moveOf(needs, shown, mapping)
      if (typeof move === 'string') count(sofar.stays, move)
      else {
        moves.push(move)
        if (shown.state === 'dead') count(sofar.refused, shown.reason ?? 'unknown')
        if (sofar.samples.length < 3) sofar.samples.push(shown)
      }
    }
    sofar.found += page.length
    // Oldest first, so that they go out in the order in which they came.
    sofar.moved += dryRun ? moves.length : await inbox.redrive(moves.reverse(), clock.now())
    if (!goOn(sofar)) break
  }
  return sofar
}

function count(sums: Record<string, number>, reason: string): void {
  sums[reason] = (sums[reason] ?? 0) + 1
}

/** The move, or in a word why it cannot be, or would fail again. */
async function moveOf(needs: RedriveNeeds, shown: Shown, mapping: Mapping): Promise<Redriven | string> {
  const { catalogue, accounts } = needs
  const byToday = (page: EventPage) => (mapping === 'today' || shown.mapping === 0 ? mappingOf(page) : shown.mapping)
  const own = catalogue.get(shown.type)
  // What Segment took becomes the same call by the same mapping.
  const isTried = shown.state === 'delivered' && own !== undefined && byToday(own) === shown.mapping
  // mutant: sends again what must fail again
  const read = isTried ? ({ is: 'usable', ...shown } as const) : await tryAgain(needs, shown, byToday)
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
    ...(byToday(page) === shown.mapping ? {} : { mapping: byToday(page) }),
  }
}
