import { catalogue } from '../events/index.ts'
import type { Command } from './command.ts'

export const events: Command = {
  name: 'events',
  summary: 'the events and what becomes of each',
  examples: ['npx drift-segment-source events'],
  run: async ({ print }) => print([...catalogue.keys()].join('\n')),
}
