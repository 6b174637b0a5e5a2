/** Do the console's list and charts answer at once with a million entries stored? */

import { readConfig } from '../../src/config.ts'
import { openStore } from '../../src/main.ts'
import { percentile } from '../arithmetic.ts'
import { alone, type Line } from '../line.ts'
import { settingsFor } from '../product.ts'
import { firstOrg } from '../webhook.ts'

const weekMs = 7 * 24 * 3_600_000

export const look: Line = {
  name: 'look',
  question: "Do the console's list and charts answer at once with a million entries stored?",
  peers: false,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    const config = readConfig(settingsFor(bench.engine, await bench.backlog(entries)), 'store')
    const { storage, clock, close } = await openStore(config)
    const { lookup, ledger } = storage
    const org = String(firstOrg)
    const page = { limit: 50 }
    const questions: Record<string, () => Promise<unknown>> = {
      'the newest fifty': () => lookup.find({ org }, page),
      'one type and state': () => lookup.find({ org, type: 'button_clicked', states: ['waiting'] }, page),
      'what is dead or set aside': () => lookup.find({ org, states: ['dead', 'quarantined'] }, page),
      'one contact': () => lookup.find({ org, contact: '21727000007' }, page),
      'a conversation that is not there': () => lookup.find({ org, conversation: '1' }, page),
      'a week of charts': () => ledger.moments(org, clock.now() - weekMs, clock.now()),
      'what waits and why': () => ledger.standings(),
    }
    try {
      const rows = []
      for (const [name, ask] of Object.entries(questions)) {
        const ms: number[] = []
        for (let round = 0; round < 10 * bench.rounds; round++) {
          const startedAt = performance.now()
          await ask()
          ms.push(performance.now() - startedAt)
        }
        rows.push({ name, slow: percentile(ms, 95) })
      }
      const slowest = rows.reduce((one, other) => (other.slow > one.slow ? other : one))
      const stored = `${entries.toLocaleString('en')} entries`
      const aim = { words: '< 100 ms', holds: (ms: number) => ms < 100 }
      return [
        ...rows.map(({ name, slow }) => alone(`console's question, ${stored}: ${name}, p95`, 'ms', [slow])),
        alone(`the slowest of them: ${slowest.name}, p95`, 'ms', [slowest.slow], aim),
      ]
    } finally {
      await close()
    }
  },
}
