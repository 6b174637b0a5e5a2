/** How many durable acknowledgements a second, and how soon, against node:http that keeps nothing? */
import { type Bench, compared, type Line, roundsOf } from '../line.ts'
import { type Answered, flood } from '../load.ts'
import { start } from '../process.ts'
import { install, serve, settingsFor, webhooksOf } from '../product.ts'

const reference = 'plain node:http + JSON.parse, nothing kept'

/** Until what is called a thousand times is compiled for it: a service runs for days, not for a second. */
const warmSeconds = 2

/** Sending is paused: what is measured is reading, judging, sealing and committing. */
async function ours(bench: Bench, connections: number): Promise<Answered> {
  const env = settingsFor(bench.engine, await bench.folder())
  await install(env, 1, 'paused')
  const service = await serve(env)
  try {
    return await flood({ url: webhooksOf(service), connections, seconds: bench.seconds, warmSeconds })
  } finally {
    await service.kill()
  }
}

async function plain(bench: Bench, connections: number): Promise<Answered> {
  const peer = await start('bench/peers/plain.ts')
  try {
    return await flood({ url: webhooksOf(peer), connections, seconds: bench.seconds, warmSeconds })
  } finally {
    await peer.kill()
  }
}

export const acknowledge: Line = {
  name: 'acknowledge',
  question: 'How many durable acknowledgements a second, and how soon?',
  peers: true,
  async run(bench) {
    const rows = []
    for (const connections of bench.quick ? [64] : [16, 64, 256]) {
      bench.say(`${connections} connections`)
      const results = await roundsOf(bench, {
        ours: () => ours(bench, connections),
        plain: () => plain(bench, connections),
      })
      const figures = (which: (answered: Answered) => number) => ({
        ours: results.ours.map(which),
        theirs: { name: reference, figures: results.plain.map(which) },
      })
      const at = `at ${connections} connections`
      const rate = figures(({ perSecond }) => perSecond)
      rows.push(
        compared(`acknowledgements ${at}`, '/s', rate.ours, rate.theirs, {
          words: '≥ 0.6×',
          holds: (ratio) => ratio >= 0.6,
        }),
      )
      for (const percent of ['p50', 'p99'] as const) {
        const latency = figures((answered) => answered[percent])
        rows.push(compared(`${percent} of acknowledgement ${at}`, 'ms', latency.ours, latency.theirs))
      }
    }
    return rows
  },
}
