/** How many events a second go from webhook to Segment, how soon, and at what cost? */
import { percentile } from '../arithmetic.ts'
import { express, names, nodeRed, ours, type Stand } from '../contenders.ts'
import { alone, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood, pace } from '../load.ts'
import { webhooksOf } from '../product.ts'
import { firstOrg, writeKeyOf } from '../webhook.ts'

interface Sustained {
  /** Events a second, from the first post to the last arrival. */
  perSecond: number
  p50: number
  p99: number
  lost: number
  cpuMicros: number
}

/** A rate that all of them can keep up with. */
const gentlePerSecond = 100

async function sustained(bench: Bench, stand: Stand): Promise<Sustained> {
  const { segment, receiver } = stand
  const url = webhooksOf(receiver)
  try {
    const warm = await flood({ url, connections: 16, seconds: bench.quick ? 0 : 1, warmSeconds: 1 })
    await segment.until(warm.answered, 3_000)

    await segment.mode({ reset: true })
    const gentle = await pace({ url, perSecond: gentlePerSecond, seconds: bench.seconds, from: warm.next })
    const { latencies } = await segment.until(gentle.answered, 3_000)
    const soon = latencies[writeKeyOf(firstOrg)] ?? []

    await segment.mode({ reset: true })
    const before = receiver.usage().cpuMs
    const startedAt = Date.now()
    const load = { url, connections: 64, seconds: 2 * bench.seconds, warmSeconds: 0, from: gentle.next }
    const { answered } = await flood(load)
    const { events, lastAt } = await segment.until(answered, 5_000)
    return {
      perSecond: (events * 1_000) / (lastAt - startedAt),
      p50: percentile(soon, 50),
      p99: percentile(soon, 99),
      lost: Math.max(answered - events, 0),
      cpuMicros: ((receiver.usage().cpuMs - before) * 1_000) / events,
    }
  } finally {
    await stand.close()
  }
}

export const endToEnd: Line = {
  name: 'end-to-end',
  question: 'How many events a second go from webhook to Segment, how soon, and at what cost?',
  peers: true,
  async run(bench) {
    const results = await roundsOf(bench, {
      ours: async () => sustained(bench, await ours(bench)),
      express: async () => sustained(bench, await express()),
      nodeRed: async () => sustained(bench, await nodeRed(bench)),
    })
    const by = (name: keyof typeof results, which: (result: Sustained) => number) => results[name].map(which)
    const against = (peer: 'express' | 'nodeRed', which: (result: Sustained) => number) => ({
      name: names[peer],
      figures: by(peer, which),
    })
    const rate = ({ perSecond }: Sustained) => perSecond
    const p50 = (result: Sustained) => result.p50
    const p99 = (result: Sustained) => result.p99
    const cpu = ({ cpuMicros }: Sustained) => cpuMicros
    const aim = { words: '≥ 5×', holds: (ratio: number) => ratio >= 5 }
    const soon = `webhook to Segment at ${gentlePerSecond}/s`
    const nothing = { words: 'none', holds: (lost: number) => lost === 0 }
    return [
      compared('events a second, webhook to Segment, sustained', '/s', by('ours', rate), against('express', rate), aim),
      compared('the same', '/s', by('ours', rate), against('nodeRed', rate)),
      alone(
        'of those, answered 200 and never arrived',
        'events',
        by('ours', (result) => result.lost),
        nothing,
      ),
      compared(`${soon}, p50`, 'ms', by('ours', p50), against('express', p50)),
      compared('the same', 'ms', by('ours', p50), against('nodeRed', p50)),
      compared(`${soon}, p99`, 'ms', by('ours', p99), against('express', p99)),
      compared('CPU an event at the sustained rate', 'µs', by('ours', cpu), against('express', cpu)),
      compared('the same', 'µs', by('ours', cpu), against('nodeRed', cpu)),
    ]
  },
}
