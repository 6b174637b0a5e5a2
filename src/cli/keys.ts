/** ENCRYPTION_KEYS: making one, looking which are needed, and moving everything to the first. */
import { record } from '../accounts/audit.ts'
import { readConfig } from '../config.ts'
import { systemRandom } from '../lib/random.ts'
import type { Command } from './command.ts'
import { who, withStore } from './store.ts'

/** An id that says when the key was made is enough to tell keys apart. */
function newKey(): string {
  return `k${systemRandom.bytes(3).toString('hex')}:${systemRandom.bytes(32).toString('base64')}`
}

const create: Command = {
  name: 'new',
  summary: 'print a new key for ENCRYPTION_KEYS; keep it safe, without it the store cannot be read',
  examples: ['npx drift-segment-source keys new'],
  run: async ({ print }) => print(newKey()),
}

const check: Command = {
  name: 'check',
  summary: 'which of ENCRYPTION_KEYS the store needs; exits 78 when it does not open with them',
  examples: ['npx drift-segment-source keys check'],
  run: (context) =>
    withStore(context, async ({ keyring }) => {
      const counts = await keyring.wrappedBy()
      const { encryptionKeys } = readConfig(context.env(), 'store')
      encryptionKeys.forEach(({ id }, at) => {
        const many = counts.get(id) ?? 0
        const duty =
          at === 0
            ? 'the first: it seals every new one'
            : many > 0
              ? 'still needed: `keys rotate` moves them'
              : 'not needed any more'
        context.print(`${id}  seals ${many} ${many === 1 ? 'key' : 'keys'} of the store; ${duty}`)
      })
    }),
}

const rotate: Command = {
  name: 'rotate',
  summary:
    'seal the key of every account under the first of ENCRYPTION_KEYS, beside the running service; then the others can go',
  examples: ['npx drift-segment-source keys rotate'],
  run: (context) =>
    withStore(context, async ({ keyring, storage, clock }) => {
      const many = await keyring.rewrap()
      if (many > 0) await record({ ...storage, clock }, { org: '', who, act: 'rotatedKeys', about: `${many}` })
      const [first] = readConfig(context.env(), 'store').encryptionKeys
      context.print(
        `${many} ${many === 1 ? 'key' : 'keys'} moved (each account has one, and the store has one of its own); all are under ${first!.id} now`,
      )
      context.print('nothing that was sealed changed: messageIds and what counts as the same event stay as they were')
    }),
}

export const keys: Command = {
  name: 'keys',
  summary: 'the keys that seal what is stored',
  examples: [],
  commands: [create, check, rotate],
}
