/** Does an account notice when another floods? */
import { percentile } from '../arithmetic.ts'
import { ours } from '../contenders.ts'
import { atMost, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { pace, warmPerSecond } from '../load.ts'
import { webhooksOf } from '../product.ts'
import { firstOrg, numbersEach, writeKeyOf } from '../webhook.ts'

/** The quiet account's webhooks a second; the other has a hundred times as many. */
const quietPerSecond = 20
const quiet = firstOrg + 1
/** Latencies count after so long: while the two generators start, they keep both processors from the service. */
const startSeconds = 2

/** The quiet account's p99 from webhook to Segment. */
async function p99(bench: Bench, flooded: boolean): Promise<number> {
  const stand = await ours(bench, { accounts: 2 })
  const { segment } = stand
  const url = webhooksOf(stand.receiver)
  try {
    // Six hundred webhooks in full, so that a p99 is not that of the second slowest.
    const seconds = 10 * bench.seconds
    const warm = await pace({ url, perSecond: warmPerSecond, seconds: bench.warmSeconds, org: quiet })
    await segment.until(warm.answered)
    await segment.mode({ reset: true, measuredFrom: warm.next + startSeconds * quietPerSecond })
    const flood = { url, perSecond: 100 * quietPerSecond, seconds: seconds + startSeconds, from: numbersEach }
    const [answers] = await Promise.all([
      pace({ url, perSecond: quietPerSecond, seconds: seconds + startSeconds, org: quiet, from: warm.next }),
      flooded ? pace(flood) : undefined,
    ])
    await segment.until(answers.answered + (flooded ? flood.perSecond * flood.seconds : 0), 3_000)
    const { latencies } = await segment.report()
    return percentile(latencies[writeKeyOf(quiet)] ?? [], 99)
  } finally {
    await stand.close()
  }
}

export const neighbour: Line = {
  name: 'neighbour',
  question: 'Does an account notice when another floods?',
  peers: false,
  async run(bench) {
    const results = await roundsOf(bench, { flooded: () => p99(bench, true), alone: () => p99(bench, false) })
    const what = "a quiet account's p99, webhook to Segment, while another sends a hundred times as much"
    return [compared(what, 'ms', results.flooded, { name: 'alone', figures: results.alone }, atMost(1.5))]
  },
}
