/** The words for Segment, said of an endpoint that stands in its place: for every text about a reason, in the console and on the command line. */

/** Words about Segment, the longer ones first, and what stands in their place. */
const inPlaceOf: readonly (readonly [words: string, at: (endpoint: string) => string])[] = [
  ['the write key and the region in Segment', (endpoint) => `the write key with those who run ${endpoint}`],
  ['save them again', () => 'save it again'],
  ['the region and SEGMENT_API_URL_US or _EU', (endpoint) => `the address of ${endpoint} in DESTINATION_ENDPOINTS`],
  ['SEGMENT_API_URL_US or _EU', (endpoint) => `the address of ${endpoint} in DESTINATION_ENDPOINTS`],
  ['Segment write key', () => 'write key'],
  ['Segment', (endpoint) => endpoint],
]

/** What the settings have in single-account mode is Segment's. */
const ofSettings = / \(in single-account mode[^)]*\)/g

/** `endpoint`: its name, or other words for who stands in Segment's place; undefined: Segment itself. */
export function saidAt(endpoint: string | undefined, text: string): string {
  if (endpoint === undefined) return text
  return inPlaceOf.reduce((said, [words, at]) => said.replaceAll(words, at(endpoint)), text.replace(ofSettings, ''))
}
