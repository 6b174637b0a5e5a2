/** How many durable acknowledgements a second, how soon, and at what cost, against node:http that keeps nothing? */
import { type Cost, costOf, costRows } from '../cost.ts'
import { type Aim, atLeast, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { type Answered, flood } from '../load.ts'
import { type Running, start } from '../process.ts'
import { install, serve, settingsFor, webhooksOf } from '../product.ts'

const name = 'plain node:http + JSON.parse, nothing kept'

/** The connections of which the costs are shown. */
const usual = 64

/** By connections, one after the other in one process. */
type Answers = Record<number, Answered & { cost: Cost }>

/** Sending is paused: what is measured is reading, judging, sealing and committing. */
async function ours(bench: Bench, each: readonly number[]): Promise<Answers> {
  const env = settingsFor(bench.engine, await bench.folder())
  await install(bench.root, env, 1, 'paused')
  return answers(bench, await serve(bench.root, env), each)
}

async function answers(bench: Bench, service: Running, each: readonly number[]): Promise<Answers> {
  const found: Answers = {}
  const url = webhooksOf(service)
  try {
    let { next: from } = await flood({ url, connections: usual, seconds: bench.warmSeconds, warmSeconds: 0 })
    for (const connections of each) {
      const answered = await costOf([service], async () => {
        const answered = await flood({ url, connections, seconds: bench.seconds, from })
        return { ...answered, events: answered.answered }
      })
      found[connections] = answered
      from = answered.next
    }
    return found
  } finally {
    await service.kill()
  }
}

export const acknowledge: Line = {
  name: 'acknowledge',
  question: 'How many durable acknowledgements a second, how soon, and at what cost?',
  peers: true,
  quick: true,
  async run(bench) {
    const each = bench.quick ? [usual] : [16, usual, 256]
    const results = await roundsOf(
      bench,
      { ours: () => ours(bench, each) },
      { plain: async () => answers(bench, await start('bench/peers/plain.ts'), each) },
    )
    const by = <Value>(who: keyof typeof results, connections: number, which: (answers: Answers[number]) => Value) =>
      results[who].map((round) => which(round[connections]!))
    const rows = each.flatMap((connections) => {
      const row = (what: string, unit: 'ms' | '/s', which: (answers: Answers[number]) => number, aim?: Aim) => {
        const plain = { name, figures: by('plain', connections, which) }
        return compared(`${what} at ${connections} connections`, unit, by('ours', connections, which), plain, aim)
      }
      return [
        row('acknowledgements', '/s', ({ perSecond }) => perSecond, atLeast(0.33)),
        row('p50 of acknowledgement', 'ms', ({ p50 }) => p50),
        row('p99 of acknowledgement', 'ms', ({ p99 }) => p99),
      ]
    })
    const costs = (who: keyof typeof results) => by(who, usual, ({ cost }) => cost)
    return [...rows, ...costRows('webhook to acknowledgement', costs('ours'), { name, costs: costs('plain') })]
  },
}
