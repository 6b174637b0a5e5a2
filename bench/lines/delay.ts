/** How soon is a webhook at Segment, however long Segment takes to answer? */
import { percentile } from '../arithmetic.ts'
import { express, names, nodeRed, ours, type Stand, segmentDelayMs } from '../contenders.ts'
import { alone, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { pace, warmUp } from '../load.ts'
import { webhooksOf } from '../product.ts'
import { firstOrg, writeKeyOf } from '../webhook.ts'

/** A rate that all contenders keep up with. */
const perSecond = 100
/** Segment in the same process, at its usual distance, and when it is slow. The limits are in milliseconds. */
const delays = [
  { delayMs: 0, p50Max: 10, p99Max: 30 },
  { delayMs: segmentDelayMs, p50Max: 10, p99Max: 30 },
  { delayMs: 240, p50Max: 15, p99Max: undefined },
]

interface Soon {
  p50: number
  p99: number
}

/** By Segment's delay, one after the other in one process. */
async function soon(bench: Bench, stand: Stand, delaysMs: readonly number[]): Promise<Record<number, Soon>> {
  const { segment } = stand
  const url = webhooksOf(stand.receiver)
  const found: Record<number, Soon> = {}
  try {
    let { next } = await warmUp(bench, stand)
    for (const delayMs of delaysMs) {
      // The generator begins slowly, too: its first second is load and not measured.
      const measuredFrom = next + perSecond
      await segment.mode({ reset: true, delayMs, measuredFrom })
      const answers = await pace({
        url,
        perSecond,
        seconds: bench.quick ? bench.seconds : 2 * bench.seconds,
        warmSeconds: 1,
        from: next,
      })
      const { latencies } = await segment.until(answers.answered, 3_000)
      const ms = latencies[writeKeyOf(firstOrg)] ?? []
      found[delayMs] = { p50: percentile(ms, 50), p99: percentile(ms, 99) }
      next = answers.next
    }
    return found
  } finally {
    await stand.close()
  }
}

export const delay: Line = {
  name: 'delay',
  question: 'How soon is a webhook at Segment, however long Segment takes to answer?',
  peers: true,
  quick: true,
  async run(bench) {
    const usual = [segmentDelayMs]
    const everyDelay = delays.map(({ delayMs }) => delayMs)
    const results = await roundsOf(
      bench,
      { ours: async () => soon(bench, await ours(bench), everyDelay) },
      {
        express: async () => soon(bench, await express(), usual),
        nodeRed: async () => soon(bench, await nodeRed(bench), usual),
      },
    )
    const figures = (name: keyof typeof results, delayMs: number, which: keyof Soon) =>
      results[name].map((round) => round[delayMs]![which])
    const rows = delays.flatMap(({ delayMs, p50Max, p99Max }) => {
      const row = (which: keyof Soon, ms: number | undefined) => {
        const aim = ms === undefined ? undefined : { words: `< ${ms} ms`, holds: (median: number) => median < ms }
        const what = `webhook to Segment at ${perSecond}/s, answered after ${delayMs} ms, ${which}`
        return alone(what, 'ms', figures('ours', delayMs, which), aim)
      }
      return [row('p50', p50Max), row('p99', p99Max)]
    })
    const against = (peer: 'express' | 'nodeRed') =>
      compared(
        `p50 at ${perSecond}/s, answered after ${segmentDelayMs} ms`,
        'ms',
        figures('ours', segmentDelayMs, 'p50'),
        { name: names[peer], figures: figures(peer, segmentDelayMs, 'p50') },
      )
    return bench.peers ? [...rows, against('express'), against('nodeRed')] : rows
  },
}
