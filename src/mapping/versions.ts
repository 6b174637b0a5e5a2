/**
 * The options of an account's destinations, in versions: an event is sent with those of its receipt. A version is a number of
 * the account's, and says of each destination which set of options it has; equal sets are stored once.
 */
import { z } from 'zod'
import { type Options, optionsSchema } from './options.ts'

/** Older ones are forgotten: what still waits from then is sent with the oldest that is known. */
const versionsMax = 200

export const versionsSchema = z.object({
  /** The number of the version that stands first. Version 0 is before any: every option is off. */
  first: z.int().min(1).default(1),
  sets: z.array(optionsSchema).default([]),
  /** Of each version, by destination, which of the sets. A destination that is not there has every option off. */
  list: z.array(z.record(z.string(), z.int().min(0))).default([]),
})

export type Versions = z.infer<typeof versionsSchema>

/** Every option off. */
export const noOptions: Options = {}

export function latest({ first, list }: Versions): number {
  return list.length === 0 ? 0 : first + list.length - 1
}

/** Undefined where the version is not known here yet: another process has saved it. */
export function optionsIn(versions: Versions, destination: number, version: number): Options | undefined {
  if (version === 0 || versions.list.length === 0) return version === 0 ? noOptions : undefined
  if (version > latest(versions)) return undefined
  const of = versions.list[Math.max(version - versions.first, 0)]!
  const set = of[String(destination)]
  return set === undefined ? noOptions : versions.sets[set]!
}

/** One more version: what `base` was, but for one destination. */
export function added(versions: Versions, base: number, destination: number, of: Options): Versions {
  const { [String(destination)]: _, ...others } =
    base === 0 ? {} : (versions.list[Math.max(base - versions.first, 0)] ?? {})
  const isOff = Object.keys(of).length === 0
  const known = versions.sets.findIndex((set) => JSON.stringify(set) === JSON.stringify(of))
  const set = known < 0 ? versions.sets.length : known
  const sets = isOff || known >= 0 ? versions.sets : [...versions.sets, of]
  return pruned({ ...versions, sets, list: [...versions.list, isOff ? others : { ...others, [destination]: set }] })
}

/** Of the versions before, so many are looked at: what waits is of the last ones. */
const stricterMax = 60

/**
 * For each version in which a destination drops or hashes less than these options do: one more version, in which it does
 * that as well. `moves`: from which version to which.
 */
export function stricter(
  versions: Versions,
  destination: number,
  of: Options,
): { versions: Versions; moves: { from: number; to: number }[] } {
  const last = latest(versions)
  const some = Array.from({ length: Math.min(last, stricterMax) }, (_, at) => last - at)
  let all = versions
  const moves: { from: number; to: number }[] = []
  for (const from of [0, ...some]) {
    const before = optionsIn(versions, destination, from) ?? noOptions
    const drop = [...new Set([...(before.drop ?? []), ...(of.drop ?? [])])]
    const hash = [...new Set([...(before.hash ?? []), ...(of.hash ?? [])])]
    if (drop.length === (before.drop?.length ?? 0) && hash.length === (before.hash?.length ?? 0)) continue
    const set = { ...before, ...(drop.length > 0 ? { drop } : {}), ...(hash.length > 0 ? { hash } : {}) }
    all = added(all, from, destination, set)
    moves.push({ from, to: latest(all) })
  }
  return { versions: all, moves }
}

function pruned({ first, sets, list }: Versions): Versions {
  const over = Math.max(list.length - versionsMax, 0)
  const kept = list.slice(over)
  const used = [...new Set(kept.flatMap((of) => Object.values(of)))].sort((one, other) => one - other)
  const renumbered = kept.map((of) =>
    Object.fromEntries(Object.entries(of).map(([destination, set]) => [destination, used.indexOf(set)])),
  )
  return { first: first + over, sets: used.map((set) => sets[set]!), list: renumbered }
}

/**
 * An entry's `mapping` says both: which version of its event's page, below a thousand, and which version of the options, in
 * thousands.
 */
const perVersion = 1_000

export function stampOf(page: number, version: number): number {
  return page + version * perVersion
}

export function pageOf(stamp: number): number {
  return stamp % perVersion
}

export function versionOf(stamp: number): number {
  return Math.floor(stamp / perVersion)
}
