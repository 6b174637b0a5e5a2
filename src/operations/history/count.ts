/** How many conversations Drift says there are, by its reports: cut into shorter times where an answer is too large to be read. */
import type { HistoryOfDrift } from './ask.ts'

const dayMs = 86_400_000
/** Drift was founded in 2014: it has none from before. */
const oldest = Date.UTC(2014, 0, 1)
/** Two minutes at Drift's limit for reports: a number for a progress bar is not worth more. */
const requestsMax = 110

/** Those that were updated since then; undefined where Drift does not say it in so many answers. */
export async function countAll(
  drift: Pick<HistoryOfDrift, 'count'>,
  from: number,
  now: number,
): Promise<number | undefined> {
  const times: [from: number, to: number][] = [[Math.max(from, oldest), now]]
  let count = 0
  let requests = 0
  for (let time = times.pop(); time; time = times.pop()) {
    if (++requests > requestsMax) return undefined
    const [since, until] = time
    const answer = await drift.count(dayOf(since), dayOf(until))
    if (answer.is === 'count') count += answer.count
    else if (answer.is === 'too_large' && until - since > dayMs) {
      const middle = since + Math.floor((until - since) / 2 / dayMs) * dayMs
      times.push([since, middle], [middle + dayMs, Math.max(until, middle + dayMs)])
    } else return undefined
  }
  return count
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
