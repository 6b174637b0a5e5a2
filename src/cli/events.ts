import { catalogue } from '../events/index.ts'
import { type Format, formats, printCatalogue } from '../events/print.ts'
import type { Command } from './command.ts'

export const events: Command = {
  name: 'events',
  summary: 'the events and what becomes of each, for people, code, and Segment Protocols',
  options: [{ flags: '--format <format>', meaning: 'how to print them', choices: formats, default: 'table' }],
  examples: [
    'npx drift-segment-source events',
    'npx drift-segment-source events --format tracking-plan > tracking-plan.json',
    'npx drift-segment-source events --format typescript > drift-source.d.ts',
  ],
  run: async ({ print }, { format }) => print(printCatalogue(catalogue, format as Format)),
}
