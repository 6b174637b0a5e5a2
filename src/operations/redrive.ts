/** Sending again what was set aside, given up or delivered: under the messageId it always had. */

import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { reopen } from '../drift/envelope.ts'
import { type EventPage, mappingOf } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { textsOf } from '../pipeline/texts.ts'
import type { State } from '../storage/ports/entry.ts'
import type { Inbox, Redriven } from '../storage/ports/inbox.ts'
import type { Lookup, Query, Shown, ShownState } from '../storage/ports/lookup.ts'
import { findAll, inBody } from './inspect.ts'

/** `then`: by the mapping of their receipt. `today`: by today's. */
export type Mapping = 'then' | 'today'

/** What can be driven again; the rest waits anyway. */
export const redrivable: readonly ShownState[] = ['dead', 'quarantined', 'delivered']
/** What is, unless a person asks for more: sending delivered events again is rarely meant. */
export const failed: readonly State[] = ['dead', 'quarantined']

export interface Redrive {
  found: number
  moved: number
  /** Why some stay where they are, by reason. */
  stays: Record<string, number>
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
 * asked after each page, with the numbers so far; false ends it there.
 */
export async function redrive(
  needs: RedriveNeeds,
  query: Query,
  { mapping, dryRun, goOn = () => true }: { mapping: Mapping; dryRun: boolean; goOn?: (soFar: Redrive) => boolean },
): Promise<Redrive> {
  const { lookup, inbox, clock } = needs
  const sofar: Redrive = { found: 0, moved: 0, stays: {}, samples: [] }
  const states = (query.states ?? failed).filter((state) => redrivable.includes(state))
  for await (const page of findAll(lookup, { ...query, states })) {
    const moves: Redriven[] = []
    for (const shown of page) {
      const move = await moveOf(needs, shown, mapping)
      if (typeof move === 'string') sofar.stays[move] = (sofar.stays[move] ?? 0) + 1
      else {
        moves.push(move)
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

/** The move, or in a word why it cannot be. */
async function moveOf(
  { catalogue, keyring, accounts, lookup }: RedriveNeeds,
  shown: Shown,
  mapping: Mapping,
): Promise<Redriven | string> {
  const read = shown.state === 'quarantined' ? await readAgain(lookup, keyring, shown) : shown
  if (typeof read === 'string') return read
  const { org, type } = read
  const page = catalogue.get(type)
  if (!page) return 'type_unknown'
  const install = accounts.get(org)
  if (!install) return 'not_installed'
  if (install.state === 'disconnected') return 'disconnected'
  const byToday = mapping === 'today' || shown.mapping === 0
  return {
    id: shown.id,
    ...(org === shown.org ? {} : { org }),
    ...(type === shown.type ? {} : { type }),
    ...(byToday ? { mapping: mappingOf(page) } : {}),
  }
}

/** What was set aside may be readable today; what still is not stays where it is, with its reason. */
async function readAgain(
  lookup: Lookup,
  keyring: Keyring,
  shown: Shown,
): Promise<{ org: string; type: string } | string> {
  const stays = shown.reason ?? 'unknown'
  const entry = await lookup.read(shown.id)
  if (!entry) return stays
  try {
    const read = inBody(entry)
    const envelope = reopen((await textsOf(keyring, read.bodies).of(read.entry)).toString())
    return envelope ? { org: envelope.orgId, type: envelope.type } : stays
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}
