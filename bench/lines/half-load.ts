/** How long does an acknowledgement take at half of what can be had? */
import { alone, type Line } from '../line.ts'
import { flood, pace } from '../load.ts'
import { install, serve, settingsFor, webhooksOf } from '../product.ts'

export const halfLoad: Line = {
  name: 'half-load',
  question: 'How long does an acknowledgement take at half of what can be had?',
  peers: true,
  async run(bench) {
    const p50: number[] = []
    const p99: number[] = []
    const rates: number[] = []
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`round ${round + 1} of ${bench.rounds}`)
      const env = settingsFor(bench.engine, await bench.folder())
      await install(env, 1, 'paused')
      const service = await serve(env)
      try {
        const url = webhooksOf(service)
        const { perSecond, next } = await flood({ url, connections: 64, seconds: bench.seconds })
        const half = await pace({ url, perSecond: Math.round(perSecond / 2), seconds: bench.seconds, from: next })
        p50.push(half.p50)
        p99.push(half.p99)
        rates.push(half.perSecond)
      } finally {
        await service.kill()
      }
    }
    return [
      alone('half of the acknowledgements that 64 connections get', '/s', rates),
      alone('p50 of acknowledgement at that rate', 'ms', p50),
      alone('p99 of acknowledgement at that rate', 'ms', p99, { words: '< 25 ms', holds: (ms) => ms < 25 }),
    ]
  },
}
