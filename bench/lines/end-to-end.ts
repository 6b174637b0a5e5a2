/** How many events a second go from webhook to Segment, and at what cost? */

import { express, names, nodeRed, ours, type Stand } from '../contenders.ts'
import { type Cost, costOf, costRows } from '../cost.ts'
import { alone, atLeast, atMost, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood, warmUp } from '../load.ts'
import { webhooksOf } from '../product.ts'

interface Sustained {
  /** Events a second, from the first post to the last arrival. */
  perSecond: number
  lost: number
  cost: Cost
}

async function sustained(bench: Bench, stand: Stand): Promise<Sustained> {
  const { segment, receiver } = stand
  const url = webhooksOf(receiver)
  try {
    const { next } = await warmUp(bench, stand)
    await segment.mode({ reset: true })
    const load = { url, connections: 64, seconds: 2 * bench.seconds, warmSeconds: 0, from: next }
    return await costOf([receiver], async () => {
      const startedAt = Date.now()
      const { answered } = await flood(load)
      const { events, lastAt } = await segment.until(answered, 5_000)
      return { events, perSecond: (events * 1_000) / (lastAt - startedAt), lost: Math.max(answered - events, 0) }
    })
  } finally {
    await stand.close()
  }
}

export const endToEnd: Line = {
  name: 'end-to-end',
  question: 'How many events a second go from webhook to Segment, and at what cost?',
  peers: true,
  quick: true,
  async run(bench) {
    const results = await roundsOf(
      bench,
      { ours: async () => sustained(bench, await ours(bench)) },
      {
        express: async () => sustained(bench, await express()),
        nodeRed: async () => sustained(bench, await nodeRed(bench)),
      },
    )
    const by = (name: keyof typeof results, which: (result: Sustained) => number) => results[name].map(which)
    const against = (peer: 'express' | 'nodeRed', which: (result: Sustained) => number) => ({
      name: names[peer],
      figures: by(peer, which),
    })
    const rate = ({ perSecond }: Sustained) => perSecond
    const costs = (name: keyof typeof results) => results[name].map(({ cost }) => cost)
    const cpu = (result: Sustained) => result.cost.cpu
    const nothing = { words: 'none', holds: (lost: number) => lost === 0 }
    return [
      compared(
        'events a second, webhook to Segment, sustained',
        '/s',
        by('ours', rate),
        against('express', rate),
        atLeast(1.4),
      ),
      ...(bench.peers ? [compared('the same', '/s', by('ours', rate), against('nodeRed', rate))] : []),
      alone(
        'of those, answered 200 and never arrived',
        'events',
        by('ours', (result) => result.lost),
        nothing,
      ),
      ...costRows('webhook to Segment', costs('ours'), { name: names.express, costs: costs('express') }, atMost(0.8)),
      ...(bench.peers
        ? [compared('CPU an event, webhook to Segment', 'µs', by('ours', cpu), against('nodeRed', cpu))]
        : []),
    ]
  },
}
