/** Does it go as fast with three hundred accounts as with one? */
import { ours } from '../contenders.ts'
import { type Aim, atLeast, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood, warmUp } from '../load.ts'
import { webhooksOf } from '../product.ts'

interface Rates {
  acknowledged: number
  /** From the first post to the last arrival. */
  delivered: number
}

async function rates(bench: Bench, accounts: number): Promise<Rates> {
  const stand = await ours(bench, { accounts, delayMs: 0 })
  const { segment, receiver } = stand
  try {
    const { next: from } = await warmUp(bench, stand, accounts)
    await segment.mode({ reset: true })
    const startedAt = Date.now()
    const load = { url: webhooksOf(receiver), connections: 64, seconds: bench.seconds, accounts, from }
    const { answered, perSecond } = await flood(load)
    const { events, lastAt } = await segment.until(answered)
    if (events < answered) throw new Error(`only ${events} of ${answered} arrived`)
    return { acknowledged: perSecond, delivered: (events * 1_000) / (lastAt - startedAt) }
  } finally {
    await stand.close()
  }
}

export const accounts: Line = {
  name: 'accounts',
  question: 'Does it go as fast with three hundred accounts as with one?',
  peers: true,
  async run(bench) {
    const many = bench.quick ? 20 : 300
    const results = await roundsOf(bench, { many: () => rates(bench, many), one: () => rates(bench, 1) })
    const row = (what: string, which: (rates: Rates) => number, aim?: Aim) => {
      const one = { name: 'one account', figures: results.one.map(which) }
      return compared(`${what}, ${many.toLocaleString('en')} accounts in turn`, '/s', results.many.map(which), one, aim)
    }
    return [
      row('acknowledgements while sending', ({ acknowledged }) => acknowledged),
      row('events from webhook to Segment', ({ delivered }) => delivered, atLeast(0.8)),
    ]
  },
}
