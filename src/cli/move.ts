/** Moving a store into another one, of the same engine or the other. */
import { judgeSetting } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { addsUp, outcomesOf } from '../operations/totals.ts'
import type { Ledger } from '../storage/ports/lookup.ts'
import type { Command, Given } from './command.ts'

export const move: Command = {
  name: 'move',
  summary:
    'move everything from one store into another, an empty one, while no service runs; when it was cut off, run it again',
  options: [
    { flags: '--from <url>', meaning: 'the store there is: sqlite:PATH', required: true },
    { flags: '--to <url>', meaning: 'an empty PostgreSQL database: postgres://…', required: true },
  ],
  examples: [
    'npx drift-segment-source move --from sqlite:data/drift-segment-source.db --to postgres://user@db.example.com/events',
  ],
  async run(context, given) {
    const [from, to] = [addressOf('--from', given.from), addressOf('--to', given.to)]
    let last = ''
    const short = await context.moveStore(from, to, {
      told(table, rows, of) {
        if (table !== last || rows === of) context.remark(`${table}: ${rows} of ${of}`)
        last = table
      },
      // Counted by each store in its own way: what became of every event is the same in both, and adds up.
      async compare(from, to) {
        const [before, after] = [await countedBy(from), await countedBy(to)]
        context.print(
          `received ${before.outcomes.received}, delivered ${before.outcomes.delivered}, and the rest in its place`,
        )
        if (!addsUp(after.outcomes)) return 'the counts do not add up'
        return before.text === after.text ? undefined : 'the two stores count differently'
      },
    })
    if (short !== undefined) {
      throw new Problem('move_incomplete', `not everything has arrived: ${short}; the old store is as it was`, {
        hint: 'run it again; if it says the same, report it',
      })
    }
    context.print('moved; set DATABASE_URL to the new store, start the service, and keep the old one until it has run')
  },
}

function addressOf(option: string, given: Given[string]): string {
  const judged = judgeSetting('DATABASE_URL', String(given))
  if (!('problem' in judged)) return judged.value
  throw new Problem('move_unknown', `${option} ${judged.problem}`, {
    hint: '`move --help` has an example',
    exitCode: 2,
  })
}

async function countedBy(ledger: Ledger) {
  const [totals, backlog] = [await ledger.totals(), await ledger.backlog()]
  const lines = [...totals, ...backlog].map((line) => JSON.stringify(Object.entries(line).sort()))
  return { outcomes: outcomesOf(totals, backlog), text: lines.sort().join('\n') }
}
