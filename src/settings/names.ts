/** Names in the environment that were probably meant for a setting, and that nothing reads. */
import { type Setting, settingNames, settings } from './table.ts'

/** `misspelt`: `meant` was probably meant. `unknown`: it begins as ours do, and nothing reads it. */
export type Odd = { is: 'misspelt'; setting: string; meant: string } | { is: 'unknown'; setting: string }

/** Shorter names are too often those of other programs. */
const lettersMin = 8
const ourBeginnings = /^(DRIFT|SEGMENT|ENCRYPTION|RETENTION)_/i
/** Kubernetes makes such names of a service's, also of one called like us. */
const ofServices = /^DRIFT_SEGMENT_SOURCE_|_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)$/

export function oddNames(names: readonly string[]): Odd[] {
  const rows = settingNames.map((name): { name: string } & Setting => ({ name, ...settings[name] }))
  const ours = rows.flatMap(({ name, inFile }) => (inFile ? [name, `${name}_FILE`] : [name]))
  const known = new Set([...ours, ...rows.flatMap(({ also }) => also ?? [])])
  return names.flatMap((name): Odd[] => {
    if (known.has(name)) return []
    const meant = name.length < lettersMin ? undefined : ours.find((one) => isOneEditAway(name.toUpperCase(), one))
    if (meant !== undefined) return [{ is: 'misspelt', setting: name, meant }]
    return ourBeginnings.test(name) && !ofServices.test(name) ? [{ is: 'unknown', setting: name }] : []
  })
}

/** One letter more, less, or another one, or two neighbours swapped; also the same letters in another case. */
function isOneEditAway(name: string, meant: string): boolean {
  if (Math.abs(name.length - meant.length) > 1) return false
  let from = 0
  while (from < name.length && name[from] === meant[from]) from++
  const [rest, wanted] = [name.slice(from), meant.slice(from)]
  return (
    rest === wanted ||
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest.slice(1) === wanted.slice(1) ||
    (rest[0] === wanted[1] && rest[1] === wanted[0] && rest.slice(2) === wanted.slice(2))
  )
}
