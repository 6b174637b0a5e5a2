/** What does each lose to one kill -9 under load? */
import { setTimeout as pause } from 'node:timers/promises'
import { express, names, nodeRed, ours, type Stand } from '../contenders.ts'
import { type Bench, figure, type Line, roundsOf } from '../line.ts'
import { pace } from '../load.ts'
import { webhooksOf } from '../product.ts'

/** A rate that all of them can keep up with. */
const perSecond = 200

/** How many webhooks were answered 200, and never reached Segment though the process was started again. */
async function lost(bench: Bench, stand: Stand): Promise<number> {
  const { segment, receiver } = stand
  try {
    const loading = pace({ url: webhooksOf(receiver), perSecond, seconds: bench.seconds + 1, ids: true })
    // The process that makes the load takes a while to start; then the middle of it.
    await segment.until(perSecond)
    await pause(Math.random() * 500)
    await receiver.kill()
    const { ids = [] } = await loading
    await stand.again()
    const arrived = new Set(
      (await segment.until(ids.length, 4_000)).events > 0 ? (await segment.report('ids')).ids : [],
    )
    return ids.filter((id) => !arrived.has(id)).length
  } finally {
    await stand.close()
  }
}

export const loss: Line = {
  name: 'loss',
  question: 'What does each lose to one kill -9 under load?',
  peers: true,
  async run(bench) {
    const results = await roundsOf(
      bench,
      { ours: async () => lost(bench, await ours(bench)) },
      { express: async () => lost(bench, await express()), nodeRed: async () => lost(bench, await nodeRed(bench)) },
    )
    const what = `answered 200 and lost to one kill -9 at ${perSecond}/s`
    const held = results.ours.every((count) => count === 0)
    const row = { what, ours: figure(results.ours, 'events'), aim: { words: 'none', held } }
    if (!bench.peers) return [row]
    return (['express', 'nodeRed'] as const).map((peer) => ({
      ...row,
      reference: { name: names[peer], figure: figure(results[peer], 'events') },
    }))
  },
}
