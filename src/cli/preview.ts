/** What options make of one event: the call as it is and as it would be, with the differences. */
import { record } from '../accounts/audit.ts'
import { optionsOf } from '../accounts/options.ts'
import { catalogue } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { noOptions } from '../mapping/versions.ts'
import {
  type Changes,
  changesSaid,
  type Difference,
  preview as look,
  type Preview,
  type Previewed,
  wouldChange,
} from '../operations/preview.ts'
import type { Store } from '../service.ts'
import type { Command, Context, Given } from './command.ts'
import { destination, optionsIn, optionsTarget } from './options.ts'
import { org, who, withStore } from './store.ts'

const [exampleType] = catalogue.keys()

export const preview: Command = {
  name: 'preview',
  summary:
    'what options make of an event: the call as it is and as it would be, and how many of the last thousand would change',
  options: [
    org,
    { flags: '--event <type>', meaning: 'the Drift event type whose example is shown', required: true },
    {
      flags: '--message <id>',
      meaning: "an event of the account in the example's place: personal data, noted in the audit",
    },
    destination,
    {
      flags: '--options <json>',
      meaning:
        'options that are not saved, compared with the present ones; without it, the present ones compared with none',
    },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: [
    `npx drift-segment-source preview --org 12345 --event ${exampleType}`,
    `npx drift-segment-source preview --org 12345 --event ${exampleType} --options '{"drop":["status"],"safeNames":true}'`,
  ],
  run: (context, given) => withStore(context, (store) => show(context, given, store)),
}

async function show(context: Context, given: Given, store: Store): Promise<void> {
  const { storage, keyring, clock } = store
  const { install, number } = optionsTarget(store, given)
  const id = install.org
  const type = String(given.event)
  if (!catalogue.has(type)) {
    const hint = `one of ${[...catalogue.keys()].join(', ')}`
    throw new Problem('filter_unusable', '--event takes a Drift event type of the catalogue', { hint, exitCode: 2 })
  }
  const present = optionsOf(install, number)
  const change =
    given.options === undefined
      ? { before: noOptions, after: present }
      : { before: present, after: optionsIn('--options', String(given.options)) }
  const needs = { catalogue, keyring, lookup: storage.lookup }
  const message = given.message === undefined ? undefined : String(given.message)
  if (message !== undefined)
    await record({ audit: storage.audit, clock }, { org: id, who, act: 'lookedAtData', about: message })
  const found = await look(needs, { org: id, type, message, destination: number }, change)
  if (!found) throw new Problem('filter_unusable', '--message names no event of the account whose contact is known')
  const counted = await wouldChange(needs, id, change)
  if (given.json) return context.print(JSON.stringify({ ...found, last: counted }, undefined, 2))
  for (const line of lines(found, counted)) context.print(line)
}

function lines({ before, after, differences, examples }: Preview, last: Changes) {
  const made = Object.keys(examples)
  return [
    'as it is:',
    ...textOf(before),
    'as it would be:',
    ...textOf(after),
    differences.length === 0 ? 'no difference' : 'differences:',
    ...differences.map(differenceLine),
    ...(made.length > 0 ? [`made up, since only Drift knows them: ${made.join(', ')}`] : []),
    changesSaid(last),
  ]
}

function textOf({ messages, why }: Previewed): string[] {
  if (messages.length === 0) return [`  nothing: ${why}`]
  return messages.flatMap((message) => JSON.stringify(message, undefined, 2).split('\n')).map((line) => `  ${line}`)
}

function differenceLine({ at, before, after }: Difference): string {
  const text = (value: unknown) => JSON.stringify(value)
  if (after === undefined) return `- ${at}: ${text(before)}`
  return before === undefined ? `+ ${at}: ${text(after)}` : `~ ${at}: ${text(before)} → ${text(after)}`
}
