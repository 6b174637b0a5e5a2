import type { EventPage } from '../events/define.ts'
import type { KnownNames } from './option.ts'

/** What the events of a catalogue are called, and what they send, with what options may add. */
export function knownNames(catalogue: ReadonlyMap<string, EventPage>): KnownNames {
  const pages = [...catalogue.values()]
  const fields = pages.flatMap(({ sends, safe = {} }) => [
    ...(sends === 'attributes' ? [] : sends),
    ...Object.values(safe),
  ])
  const tracks = pages.filter(({ call }) => call === 'track').map(({ type }) => type)
  return { types: [...catalogue.keys()], tracks, fields: [...new Set(fields)].sort() }
}
