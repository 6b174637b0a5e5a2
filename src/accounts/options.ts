/** Which options an account's destination has, and changing them: each save is a version, and events keep that of their receipt. */
import { type Clock, pause } from '../lib/clock.ts'
import { type Options, optionNames } from '../mapping/options.ts'
import { added, latest, noOptions, optionsIn, stampOf, stricter, versionOf } from '../mapping/versions.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { askLane, type Destination, type Org, sendLane } from '../storage/ports/entry.ts'
import type { Inbox, Remapped } from '../storage/ports/inbox.ts'
import type { Accounts } from './accounts.ts'
import { changeSettings, settingsOf } from './settings.ts'

/** What its events are sent with from now on, or what those of one version are sent with; undefined: it is not known here yet. */
export function optionsOf(install: Install, destination: Destination): Options
export function optionsOf(install: Install, destination: Destination, version: number): Options | undefined
export function optionsOf(install: Install, destination: Destination, version?: number): Options | undefined {
  const { optionVersions } = settingsOf(install)
  if (version !== undefined) return optionsIn(optionVersions, destination, version)
  return optionsIn(optionVersions, destination, latest(optionVersions)) ?? noOptions
}

/** The version that an event of this moment is sent with, at each destination. */
export function optionsVersionOf(install: Install): number {
  return latest(settingsOf(install).optionVersions)
}

/** What an entry with this mapping is sent with: with today's options where its own are not known here yet. */
export function optionsAt(install: Install, destination: Destination, mapping: number): Options {
  return optionsOf(install, destination, versionOf(mapping)) ?? optionsOf(install, destination)
}

interface Saved {
  destination: Destination
  options: Options
  /** Of the account as the form showed it. */
  generation: string
  who: string
  /** What waits already is to be dropped and hashed as well: see `applyToQueued`. */
  alsoQueued?: boolean
}

export interface Changed {
  install: Install
  /** Versions of what waits, and those by which it is to be sent now. */
  moves: readonly { from: number; to: number }[]
}

/**
 * Keeps them as a new version. Undefined, and nothing saved, when the account is not any more what the form showed, at that
 * generation. The caller has judged them: see judgeOptions.
 */
export async function changeOptions(
  { accounts, clock }: { accounts: Accounts; clock: Clock },
  org: Org,
  { destination, options, generation, who, alsoQueued = false }: Saved,
): Promise<Changed | undefined> {
  let isStale = false
  let moves: Changed['moves'] = []
  const edit = (stored: Install) => {
    isStale = String(stored.generation) !== generation || stored.state === 'disconnected'
    if (isStale) return undefined
    const { optionVersions } = settingsOf(stored)
    const queued = alsoQueued ? stricter(optionVersions, destination, options) : { versions: optionVersions, moves: [] }
    moves = queued.moves
    const saved = added(queued.versions, latest(optionVersions), destination, options)
    return changeSettings(stored, { optionVersions: saved })
  }
  const on = optionNames.filter((name) => options[name] !== undefined)
  const also = alsoQueued ? ', also what waits' : ''
  const about = `destination ${destination}: ${on.length === 0 ? 'no options' : on.join(', ')}${also}`
  const install = await accounts.change(org, clock.now(), edit, { audit: () => ({ who, act: 'choseOptions', about }) })
  return isStale || !install ? undefined : { install, moves }
}

/** Whether these options drop or hash what those did not, so that it is asked whether this is also for what waits. */
export function isStricter(before: Options, after: Options): boolean {
  const isNew = (name: 'drop' | 'hash') => after[name]?.some((one) => !before[name]?.includes(one)) ?? false
  return isNew('drop') || isNew('hash')
}

export interface Applied {
  changed: number
  /** A sender had them already, so that they are sent as they were: each attempt is the same. */
  given: number
  /** The rest was being sent all the time, and stays as it was. */
  isBusy: boolean
}

/** A lease lasts fifteen seconds, and the next one may begin at once. */
const patienceMs = 20_000
const lookAgainMs = 100

/** What waits for the destination is dropped and hashed as the account has chosen it now, but for what a sender has had. */
export async function applyToQueued(
  { inbox, clock }: { inbox: Pick<Inbox, 'remap'>; clock: Clock },
  org: Org,
  destination: Destination,
  { moves: versions }: Pick<Changed, 'moves'>,
): Promise<Applied> {
  const moves = versions.flatMap(({ from, to }) =>
    Array.from({ length: pagesMax }, (_, at) => ({ from: stampOf(at + 1, from), to: stampOf(at + 1, to) })),
  )
  const applied: Applied = { changed: 0, given: 0, isBusy: false }
  if (moves.length === 0) return applied
  const giveUpAt = clock.monotonic() + patienceMs
  for (const lane of [askLane(org), sendLane(org, destination)]) {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const done: Remapped = await inbox.remap(lane, { destination, moves, after })
      if (done.is === 'done') {
        applied.changed += done.changed
        applied.given += done.given
        after = done.after
      } else if (clock.monotonic() >= giveUpAt) return { ...applied, isBusy: true }
      else await pause(clock, lookAgainMs)
    }
  }
  return applied
}

/** Versions that a page of the catalogue may have had. */
const pagesMax = 9
