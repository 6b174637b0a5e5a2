import { systemRandom } from '../lib/random.ts'
import type { Command } from './command.ts'

/** An id that says when the key was made is enough to tell keys apart. */
function newKey(): string {
  return `k${systemRandom.bytes(3).toString('hex')}:${systemRandom.bytes(32).toString('base64')}`
}

export const keys: Command = {
  name: 'keys',
  summary: 'the keys that seal what is stored',
  examples: [],
  commands: [
    {
      name: 'new',
      summary: 'print a new key for ENCRYPTION_KEYS; keep it safe, without it the store cannot be read',
      examples: ['npx drift-segment-source keys new'],
      run: async ({ print }) => print(newKey()),
    },
  ],
}
