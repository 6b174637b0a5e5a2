/** Where a destination sends, in a form and in words: Segment in one of its regions, or an endpoint by its name. */
import type { Place, Places } from '../../segment/place.ts'
import { type Region, regionIn } from '../../segment/region.ts'
import type { Html } from './ui/layout.ts'
import { select } from './ui/parts.ts'

export const regionNames: Readonly<Record<Region, string>> = { us: 'United States', eu: 'European Union' }

const endpointMark = 'endpoint:'

/** What a field of that name says; undefined for what is neither a region nor an endpoint's name. */
export function placeIn(text: string): Place | undefined {
  const region = regionIn(text)
  if (region) return { region }
  const endpoint = text.startsWith(endpointMark) ? text.slice(endpointMark.length) : ''
  return endpoint === '' ? undefined : { region: 'us', endpoint }
}

/** How a form says it. */
export function placeValue({ region, endpoint }: Place): string {
  return endpoint === undefined ? region : endpointMark + endpoint
}

/** Who gets what is sent there. */
export function partnerAt({ endpoint }: Place): string {
  return endpoint ?? 'Segment'
}

/** A choice among both regions and the endpoints that are offered; one that is not offered any more stays what it is. */
export function placeField(places: Places, chosen: Place): Html {
  const offered = [...(places.endpoints?.keys() ?? [])]
  const known = chosen.endpoint === undefined || offered.includes(chosen.endpoint) ? [] : [chosen.endpoint]
  const isSegmentAlone = offered.length + known.length === 0
  const regions = Object.entries(regionNames).map(
    ([region, name]) => [region, isSegmentAlone ? name : `Segment, ${name}`] as const,
  )
  const endpoints = offered.map((name) => [endpointMark + name, name] as const)
  const gone = known.map((name) => [endpointMark + name, `${name} (not offered any more)`] as const)
  const label = isSegmentAlone ? 'Region of the Segment workspace' : 'Where it sends'
  return select('region', label, [...regions, ...endpoints, ...gone], placeValue(chosen))
}
