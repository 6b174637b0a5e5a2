/** Names in the environment that were probably meant for a setting. */
import { settingNames, settings } from './table.ts'

/** Shorter names are too often somebody else's. */
const lettersMin = 8

/** Each name that is one edit away from one of ours, with that one. Other programs' own names are no mistake. */
export function misspelt(names: readonly string[]): { name: string; meant: string }[] {
  const ours = settingNames.flatMap((name) => (settings[name].secret ? [name, `${name}_FILE`] : [name]))
  const known = new Set<string>([...ours, 'https_proxy', 'http_proxy', 'no_proxy'])
  return names.flatMap((name) => {
    if (known.has(name) || name.length < lettersMin) return []
    const meant = ours.find((one) => one.length >= lettersMin && isOneEditAway(name.toUpperCase(), one))
    return meant === undefined ? [] : [{ name, meant }]
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
