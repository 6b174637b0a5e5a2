/** With a million events waiting: how soon is it ready after a crash, and how much memory does it take? */
import { setTimeout as pause } from 'node:timers/promises'
import { alone, type Line } from '../line.ts'
import { serve, settingsFor } from '../product.ts'
import { startSegment } from '../segment.ts'

export const crash: Line = {
  name: 'crash',
  question: 'With a million events waiting: how soon is it ready after a crash, and how much memory does it take?',
  peers: false,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    const folder = await bench.backlog(entries)
    // Segment is down, so that all of it goes on waiting.
    const segment = await startSegment({ status: 503 })
    const env = settingsFor(bench.engine, folder, segment.url)
    const readyMs: number[] = []
    const peakMb: number[] = []
    try {
      for (let round = 0; round < bench.rounds; round++) {
        bench.say(`round ${round + 1} of ${bench.rounds}`)
        const crashed = await serve(bench.root, env)
        await pause(500)
        await crashed.kill()
        const service = await serve(bench.root, env)
        const ready = await fetch(`${service.url}/ready`)
        if (ready.status !== 200) throw new Error(`answered ${ready.status} when asked whether it is ready`)
        readyMs.push(service.readyMs)
        await pause(bench.seconds * 1_000)
        peakMb.push(service.usage().peakMb)
        await service.kill()
      }
    } finally {
      await segment.kill()
    }
    const many = `${entries.toLocaleString('en')} waiting`
    const seconds = readyMs.map((ms) => ms / 1_000)
    return [
      alone(`from start to ready after kill -9, ${many}`, 's', seconds, { words: '< 2 s', holds: (s) => s < 2 }),
      alone(`peak memory, ${many}`, 'MB', peakMb, { words: '< 200 MB', holds: (mb) => mb < 200 }),
    ]
  },
}
