/** Does it send as fast with a million events waiting as with ten thousand? */
import { ours } from '../contenders.ts'
import { type Bench, compared, type Line, roundsOf } from '../line.ts'

/** Events a second, measured over as many as the small backlog has, after the first thousand. */
async function rate(bench: Bench, waiting: number, measured: number): Promise<number> {
  const { segment, close } = await ours(bench, { folder: await bench.backlog(waiting), delayMs: 0 })
  try {
    const early = await segment.until(measured / 10)
    const late = await segment.until(measured)
    return ((late.events - early.events) * 1_000) / (late.lastAt - early.lastAt)
  } finally {
    await close()
  }
}

export const waiting: Line = {
  name: 'waiting',
  question: 'Does it send as fast with a million events waiting as with ten thousand?',
  peers: false,
  async run(bench) {
    const [few, many] = bench.quick ? [2_000, 20_000] : [10_000, 1_000_000]
    const results = await roundsOf(bench, {
      many: () => rate(bench, many!, few!),
      few: () => rate(bench, few!, few!),
    })
    const name = `with ${few!.toLocaleString('en')}`
    const aim = { words: 'within 20 %', holds: (ratio: number) => ratio >= 0.8 }
    const what = `events a second with ${many!.toLocaleString('en')} waiting`
    return [compared(what, '/s', results.many, { name, figures: results.few }, aim)]
  },
}
