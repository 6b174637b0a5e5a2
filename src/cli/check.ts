import { ignoredIn } from '../operations/ignored.ts'
import { addsUp, sumsOf } from '../operations/totals.ts'
import type { Command } from './command.ts'
import { standingLine, withStore } from './store.ts'

export const check: Command = {
  name: 'check',
  summary: 'add up what was received and what became of it; exits 1 when it does not add up',
  options: [{ flags: '--json', meaning: 'print JSON' }],
  examples: ['npx drift-segment-source check', 'npx drift-segment-source check --json'],
  async run(context, given) {
    return withStore(context, async ({ storage: { ledger }, clock }) => {
      const { totals, standings } = await ledger.books()
      const sums = sumsOf(totals, standings)
      const ok = addsUp(sums)
      const ignoredBy = ignoredIn(totals)
      const held = standings.filter(({ state, reason }) => reason !== undefined && state !== 'delivered')
      if (given.json) context.print(JSON.stringify({ ok, ...sums, ignoredBy, standings: held }))
      else {
        for (const [name, count] of Object.entries(sums)) context.print(`${name.padEnd(12)}${count}`)
        for (const [reason, rows] of Map.groupBy(ignoredBy, (one) => one.reason))
          context.print(`  ignored, ${reason}: ${rows.map(({ type, count }) => `${type} ${count}`).join(', ')}`)
        for (const one of held) context.print(`  account ${one.org || '-'}: ${standingLine(one, clock.now())}`)
        context.print(ok ? 'it adds up' : 'IT DOES NOT ADD UP: please report this with the numbers above')
      }
      return ok ? 0 : 1
    })
  },
}
