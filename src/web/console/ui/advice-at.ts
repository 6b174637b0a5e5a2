/** What an admin reads about a reason of one destination. */
import { saidAt } from '../../../operations/at-endpoint.ts'
import { type Advice, adviceOn } from './reasons.ts'

/** As `adviceOn`; where an endpoint stands in Segment's place, it is the endpoint that answered. */
export function adviceAt(reason: string, endpoint: string | undefined): Advice {
  const { short, happened, todo } = adviceOn(reason)
  return { short: saidAt(endpoint, short), happened: saidAt(endpoint, happened), todo: saidAt(endpoint, todo) }
}
