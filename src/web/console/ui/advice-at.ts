/** What an admin reads about a reason of one destination. */
import { type Advice, adviceOn } from './reasons.ts'

/** As `adviceOn`; where an endpoint stands in Segment's place, it is the endpoint that answered. */
export function adviceAt(reason: string, endpoint: string | undefined): Advice {
  const advice = adviceOn(reason)
  if (endpoint === undefined) return advice
  const named = (text: string) =>
    text
      .replaceAll('the write key and the region in Segment', `the write key with those who run ${endpoint}`)
      .replaceAll('save them again', 'save it again')
      .replaceAll('The Segment write key', 'The write key')
      .replaceAll('Segment', endpoint)
  return { short: named(advice.short), happened: named(advice.happened), todo: named(advice.todo) }
}
