/** The conservation law, added up: whatever was received is delivered, waiting, held, dead, ignored or expired. */
import type { Standing, Total } from '../storage/ports.ts'
import type { Command } from './command.ts'
import { standingLine, withStore } from './store.ts'

export interface Sums {
  received: number
  delivered: number
  waiting: number
  held: number
  dead: number
  ignored: number
  expired: number
  /** Beside the law: the same event again. */
  duplicates: number
}

/** What waits without a reason is waiting; what waits for a reason, is unclaimed or unreadable, is held. */
export function sumsOf(totals: readonly Total[], standings: readonly Standing[]): Sums {
  const counted = (outcome: Total['outcome']) =>
    totals.filter((total) => total.outcome === outcome).reduce((sum, { count }) => sum + count, 0)
  const standing = (which: (standing: Standing) => boolean) =>
    standings.filter(which).reduce((sum, { count }) => sum + count, 0)
  const inLine = ({ state }: Standing) => state === 'waiting' || state === 'asking'
  return {
    received: counted('received'),
    delivered: counted('delivered'),
    waiting: standing((one) => inLine(one) && one.reason === undefined),
    held: standing((one) =>
      inLine(one) ? one.reason !== undefined : one.state === 'unclaimed' || one.state === 'quarantined',
    ),
    dead: counted('dead') + standing(({ state }) => state === 'dead'),
    ignored: counted('ignored'),
    expired: counted('expired'),
    duplicates: counted('duplicate'),
  }
}

export function addsUp({ received, delivered, waiting, held, dead, ignored, expired }: Sums): boolean {
  return received === delivered + waiting + held + dead + ignored + expired
}

export const check: Command = {
  name: 'check',
  summary: 'add up what was received and what became of it; exits 1 when it does not add up',
  options: [{ flags: '--json', meaning: 'print JSON' }],
  examples: ['npx drift-segment-source check', 'npx drift-segment-source check --json'],
  async run(context, given) {
    return withStore(context, async ({ storage: { ledger }, clock }) => {
      const [totals, standings] = await Promise.all([ledger.totals(), ledger.standings()])
      const sums = sumsOf(totals, standings)
      const ok = addsUp(sums)
      const held = standings.filter(({ state, reason }) => reason !== undefined && state !== 'delivered')
      if (given.json) context.print(JSON.stringify({ ok, ...sums, standings: held }))
      else {
        for (const [name, count] of Object.entries(sums)) context.print(`${name.padEnd(12)}${count}`)
        for (const one of held) context.print(`  account ${one.org || '-'}: ${standingLine(one, clock.now())}`)
        context.print(ok ? 'it adds up' : 'IT DOES NOT ADD UP: please report this with the numbers above')
      }
      return ok ? 0 : 1
    })
  },
}
