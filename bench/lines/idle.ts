/** How long does one webhook take to Segment when nothing else happens? */
import { percentile } from '../arithmetic.ts'
import { alone, type Bench, type Line } from '../line.ts'
import { pace, warmPerSecond } from '../load.ts'
import { install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import { firstOrg, writeKeyOf } from '../webhook.ts'

async function latencies(bench: Bench): Promise<number[]> {
  const segment = await startSegment()
  const env = settingsFor(bench.engine, await bench.folder(), segment.url)
  await install(bench.root, env, 1)
  const service = await serve(bench.root, env)
  try {
    const posts = { url: webhooksOf(service), perSecond: 20 }
    const { next } = await pace({ ...posts, perSecond: warmPerSecond, seconds: bench.warmSeconds })
    await segment.until(next - 1)
    await segment.mode({ reset: true })
    const { answered } = await pace({ ...posts, seconds: bench.quick ? 1 : 5, from: next })
    const { latencies } = await segment.until(answered)
    return latencies[writeKeyOf(firstOrg)] ?? []
  } finally {
    await service.kill()
    await segment.kill()
  }
}

export const idle: Line = {
  name: 'idle',
  question: 'How long does one webhook take to Segment when nothing else happens?',
  peers: false,
  async run(bench) {
    const rounds: number[][] = []
    for (let round = 0; round < bench.rounds; round++) rounds.push(await latencies(bench))
    const at = (percent: number) => rounds.map((round) => percentile(round, percent))
    const aim = { words: '< 20 ms', holds: (ms: number) => ms < 20 }
    return [
      alone('webhook to Segment when idle, p50', 'ms', at(50), aim),
      alone('webhook to Segment when idle, p99', 'ms', at(99)),
    ]
  },
}
