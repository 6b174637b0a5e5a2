/** How fast is a backlog sent, and in how much memory, against Segment's own library? */

import { ours as stand } from '../contenders.ts'
import { alone, atLeast, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { measure } from '../process.ts'
import type { Report } from '../receiver.ts'
import { startSegment } from '../segment.ts'
import { firstOrg, writeKeyOf } from '../webhook.ts'

interface Sent {
  /** From the first arrival to the last: neither contender's own start is in it. */
  seconds: number
  peakMb: number
}

/** `fromStart`: seconds from the start of the process to the last arrival. */
async function ours(bench: Bench, events: number): Promise<Sent & { fromStart: number }> {
  const folder = await bench.backlog(events)
  const startedAt = Date.now()
  const { segment, receiver, close } = await stand(bench, { folder, delayMs: 0 })
  try {
    const report = await segment.until(events)
    if (report.events < events) throw new Error(`only ${report.events} of ${events} arrived`)
    const fromStart = (report.lastAt - startedAt) / 1_000
    return { seconds: secondsOf(report), fromStart, peakMb: receiver.usage().peakMb }
  } finally {
    await close()
  }
}

async function library(events: number): Promise<Sent> {
  const segment = await startSegment()
  try {
    const options = { segmentUrl: segment.url, writeKey: writeKeyOf(firstOrg), events }
    const { peakMb } = await measure<{ peakMb: number }>('bench/peers/analytics.mjs', options)
    const report = await segment.until(events)
    if (report.events < events) throw new Error(`only ${report.events} of ${events} arrived`)
    return { seconds: secondsOf(report), peakMb }
  } finally {
    await segment.kill()
  }
}

function secondsOf({ firstAt, lastAt }: Report): number {
  return (lastAt - firstAt) / 1_000
}

/** What ten minutes at a hundred a second leave behind. */
const outage = 60_000

export const backlog: Line = {
  name: 'backlog',
  question: "How fast is a backlog sent, and in how much memory, against Segment's own library?",
  peers: true,
  async run(bench) {
    const events = bench.quick ? outage / 10 : outage
    const results = await roundsOf(bench, { ours: () => ours(bench, events) }, { library: () => library(events) })
    const rate = ({ seconds }: Sent) => events / seconds
    const peak = ({ peakMb }: Sent) => peakMb
    const figures = (which: (sent: Sent) => number) => ({
      ours: results.ours.map(which),
      theirs: { name: '@segment/analytics-node, the same from memory', figures: results.library.map(which) },
    })
    const many = events.toLocaleString('en')
    return [
      compared(
        `events a second from a backlog of ${many}`,
        '/s',
        figures(rate).ours,
        figures(rate).theirs,
        atLeast(2.2),
      ),
      compared('peak memory of it', 'MB', figures(peak).ours, figures(peak).theirs),
      alone(
        `a ten-minute outage at 100/s, ${many} events kept at once: from the start until all are sent`,
        's',
        results.ours.map(({ fromStart }) => fromStart),
      ),
    ]
  },
}
