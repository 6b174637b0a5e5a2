/** The outcomes of what was received and what became of it, and whether they add up. */
import { destinationOf } from '../accounts/destinations.ts'
import { ignoredIn } from '../operations/ignored.ts'
import { addsUp, type DestinationOutcomes, eventsIn, outcomesByDestination, outcomesOf } from '../operations/totals.ts'
import type { Store } from '../service.ts'
import type { Command } from './command.ts'
import { backlogLine, withStore } from './store.ts'

export const check: Command = {
  name: 'check',
  summary: 'add up what was received and what became of it, for each destination; exits 1 when it does not add up',
  options: [{ flags: '--json', meaning: 'print JSON' }],
  examples: ['npx drift-segment-source check', 'npx drift-segment-source check --json'],
  async run(context, given) {
    return withStore(context, async ({ storage: { ledger }, accounts, clock }) => {
      const { totals, backlog } = await ledger.snapshotOfAll()
      const outcomes = outcomesOf(totals, backlog)
      const events = eventsIn(totals)
      const destinations = outcomesByDestination(totals, backlog).map((one) => ({
        ...one,
        name: nameOf(accounts, one),
      }))
      const wrong = destinations.filter((one) => !addsUp(one))
      const ok = addsUp(outcomes) && wrong.length === 0
      const ignoredBy = ignoredIn(totals)
      const held = backlog.filter(
        ({ state, lookupReason, reason = lookupReason }) => reason !== undefined && state !== 'delivered',
      )
      if (given.json) context.print(JSON.stringify({ ok, ...outcomes, events, ignoredBy, destinations, backlog: held }))
      else {
        for (const [name, count] of Object.entries(outcomes)) context.print(`${name.padEnd(12)}${count}`)
        if (events !== outcomes.received) {
          const also = outcomes.backfilled > 0 ? ', and what was brought in for every one but the first' : ''
          context.print(`${'events'.padEnd(12)}${events}: received counts each for every destination${also}`)
        }
        for (const [reason, rows] of Map.groupBy(ignoredBy, (one) => one.reason))
          context.print(`  ignored, ${reason}: ${rows.map(({ type, count }) => `${type} ${count}`).join(', ')}`)
        for (const several of Map.groupBy(destinations, ({ org }) => org).values())
          if (several.length > 1) for (const one of several) context.print(`  ${destinationLine(one)}`)
        for (const one of held) context.print(`  account ${one.org || '-'}: ${backlogLine(one, clock.now())}`)
        for (const one of wrong) context.print(`  does not add up: ${destinationLine(one)}`)
        context.print(ok ? 'it adds up' : 'IT DOES NOT ADD UP: please report this with the numbers above')
      }
      return ok ? 0 : 1
    })
  },
}

/** Undefined of one that was removed. */
function nameOf(accounts: Store['accounts'], { org, destination }: DestinationOutcomes): string | undefined {
  const install = accounts.get(org)
  return install && destinationOf(install, destination)?.name
}

function destinationLine({
  org,
  destination,
  name,
  ...outcomes
}: DestinationOutcomes & { name: string | undefined }): string {
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${outcome} ${count}`)
  return `account ${org}, destination ${destination} (${name ?? 'removed'}): ${counts.join(', ')}`
}
