/** The catalogue in print: in itself, or as the options of a destination make it. */
import { optionsOf } from '../accounts/options.ts'
import { catalogue } from '../events/index.ts'
import { type Format, formats, print, printCatalogue } from '../events/print.ts'
import { Problem } from '../lib/errors.ts'
import { printedWith } from '../mapping/printed.ts'
import type { Command } from './command.ts'
import { destination, optionsTarget } from './options.ts'
import { withStore } from './store.ts'

export const events: Command = {
  name: 'events',
  summary: 'the events and what becomes of each, for people, code, and Segment Protocols',
  options: [
    { flags: '--format <format>', meaning: 'how to print them', choices: formats, default: 'table' },
    { flags: '--org <id>', meaning: "as the options of this account's destination make them" },
    destination,
  ],
  examples: [
    'npx drift-segment-source events',
    'npx drift-segment-source events --format tracking-plan > tracking-plan.json',
    'npx drift-segment-source events --format typescript > drift-source.d.ts',
    'npx drift-segment-source events --format tracking-plan --org 12345 --destination Staging > tracking-plan.json',
  ],
  async run(context, given) {
    const format = given.format as Format
    if (given.org === undefined && given.destination !== undefined)
      throw new Problem('filter_unusable', '--destination needs --org: each account has destinations of its own', {
        exitCode: 2,
      })
    if (given.org === undefined) return context.print(printCatalogue(catalogue, format))
    await withStore(context, async (store) => {
      const { install, number } = optionsTarget(store, given)
      context.print(print(printedWith(catalogue, optionsOf(install, number)), format))
    })
  },
}
