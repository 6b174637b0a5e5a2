/** Where batches go: one of Segment's regions or, in its place, an endpoint that speaks its HTTP API. */
import type { Region } from './region.ts'

/** The addresses of both regions and, by name, of the endpoints that DESTINATION_ENDPOINTS lists; all without `/v1`. */
export interface Places {
  us: string
  eu: string
  endpoints?: ReadonlyMap<string, string>
}

/** With an endpoint the region says nothing. */
export interface Place {
  region: Region
  endpoint?: string | undefined
}

/** Undefined of an endpoint that is not listed. */
export function addressOf(places: Places, { region, endpoint }: Place): string | undefined {
  return endpoint === undefined ? places[region] : places.endpoints?.get(endpoint)
}

/** By their names: two endpoints may have one address. */
export function isSamePlace(one: Place, other: Place): boolean {
  return one.endpoint === other.endpoint && (one.endpoint !== undefined || one.region === other.region)
}

/** In words that may be shown: an endpoint's name is, its address is not. */
export function placeSaid({ region, endpoint }: Place): string {
  return endpoint === undefined ? `region ${region}` : `endpoint ${endpoint}`
}
