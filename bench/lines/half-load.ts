/** How long does an acknowledgement take at half of what can be had? */
import { alone, type Bench, compared, type Line } from '../line.ts'
import { type Answered, flood, pace } from '../load.ts'
import { start } from '../process.ts'
import { install, serve, settingsFor, webhooksOf } from '../product.ts'

async function ours(bench: Bench): Promise<Answered> {
  const env = settingsFor(bench.engine, await bench.folder())
  await install(bench.root, env, 1, 'paused')
  const service = await serve(bench.root, env)
  try {
    const url = webhooksOf(service)
    const { perSecond, next } = await flood({
      url,
      connections: 64,
      seconds: bench.seconds,
      warmSeconds: bench.warmSeconds,
    })
    return await atRate(url, Math.round(perSecond / 2), bench, next)
  } finally {
    await service.kill()
  }
}

async function plain(bench: Bench, perSecond: number): Promise<Answered> {
  const peer = await start('bench/peers/plain.ts')
  try {
    const url = webhooksOf(peer)
    const { next } = await flood({ url, connections: 64, seconds: bench.warmSeconds, warmSeconds: 0 })
    return await atRate(url, perSecond, bench, next)
  } finally {
    await peer.kill()
  }
}

function atRate(url: string, perSecond: number, { seconds }: Bench, from: number): Promise<Answered> {
  return pace({ url, perSecond, seconds, from, warmSeconds: 1 })
}

export const halfLoad: Line = {
  name: 'half-load',
  question: 'How long does an acknowledgement take at half of what can be had?',
  peers: true,
  async run(bench) {
    const results = { ours: [] as Answered[], plain: [] as Answered[] }
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`round ${round + 1} of ${bench.rounds}`)
      const half = await ours(bench)
      results.ours.push(half)
      if (bench.peers) results.plain.push(await plain(bench, Math.round(half.perSecond)))
    }
    const [name, aim] = ['plain node:http at the same rate', { words: '< 10 ms', holds: (ms: number) => ms < 10 }]
    const figures = (which: (answered: Answered) => number) => results.ours.map(which)
    const against = (what: string, which: (answered: Answered) => number) =>
      compared(what, 'ms', figures(which), { name, figures: results.plain.map(which) })
    const p99 = 'p99 of acknowledgement at half of that rate'
    return [
      alone(
        'half of the acknowledgements that 64 connections get',
        '/s',
        figures(({ perSecond }) => perSecond),
      ),
      against('p50 of acknowledgement at half of that rate', (answered) => answered.p50),
      {
        ...against(p99, (answered) => answered.p99),
        ...alone(
          p99,
          'ms',
          figures((answered) => answered.p99),
          aim,
        ),
      },
    ]
  },
}
