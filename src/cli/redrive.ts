import { record } from '../accounts/audit.ts'
import { catalogue, hasEarlierMappings } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { type Mapping, type Redrive, redrivable, redrive as run } from '../operations/redrive.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { filter, queryOf, who, withStore } from './store.ts'

/** There is a choice only once an event's page has an earlier mapping. */
const mappingOption: Option = {
  flags: '--mapping <mapping>',
  meaning: "translate as at the time of receipt (then) or by today's version",
  choices: ['then', 'today'],
  default: 'today',
}

export const redrive: Command = {
  name: 'redrive',
  summary: 'send again what was given up or set aside (or delivered, with --state delivered), under the same messageId',
  options: [
    ...filter,
    ...(hasEarlierMappings ? [mappingOption] : []),
    { flags: '--dry-run', meaning: 'change nothing: say how many, and show three' },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: [
    'npx drift-segment-source redrive --from 24h --dry-run',
    'npx drift-segment-source redrive --org 12345 --state dead --from 2026-11-23 --to 2026-11-24',
    'npx drift-segment-source redrive --org 12345 --state delivered --type new_conversation --from 7d',
  ],
  run: go,
}

function go(context: Context, given: Given): Promise<number> {
  return withStore(context, async ({ storage, keyring, accounts, clock }) => {
    const now = clock.now()
    // What arrives from now on is not meant.
    const query = { to: now, ...queryOf(given, now) }
    if (query.states?.some((state) => !redrivable.includes(state))) {
      throw new Problem('filter_unusable', `only ${redrivable.join(', ')} events can be redriven: others wait anyway`, {
        hint: '`installs resume` sends at once what is held',
        exitCode: 2,
      })
    }
    const dryRun = given.dryRun === true
    const mapping = (given.mapping ?? 'today') as Mapping
    let stopped = false
    void context.untilStopped().then(() => (stopped = true))
    const goOn = ({ found, moved }: Redrive) => {
      context.remark(`${found} looked at, ${moved} ${dryRun ? 'would go' : 'go'} again`)
      return !stopped
    }
    const { lookup, inbox, audit } = storage
    const needs = { catalogue, keyring, accounts, lookup, inbox, clock }
    const done = await run(needs, query, { mapping, dryRun, goOn })
    if (!dryRun && done.moved > 0) {
      const about = `${done.moved} events, mapping of ${mapping}`
      await record({ audit, clock }, { org: query.org ?? '', who, act: 'redrove', about })
    }
    context.print(given.json ? JSON.stringify({ ...done, dryRun, stopped }) : report(done, dryRun, stopped))
    return stopped ? 130 : 0
  })
}

function report({ found, moved, stays, samples }: Redrive, dryRun: boolean, stopped: boolean): string {
  return [
    `${found} found, ${moved} ${dryRun ? 'would be sent again' : 'wait to be sent again'}`,
    ...Object.entries(stays).map(([reason, count]) => `  ${count} stay: ${reason}`),
    ...samples.map(({ messageId, type, org, state }) => `  ${messageId}  ${org}  ${type}  was ${state}`),
    ...(stopped ? ['stopped on request: what has been moved stays moved, the rest is as it was'] : []),
  ].join('\n')
}
