/** A consistent copy of the store, made beside the running service. */
import { Problem } from '../lib/errors.ts'
import type { Command } from './command.ts'
import { withStore } from './store.ts'

export const backup: Command = {
  name: 'backup',
  summary: 'write a consistent copy of the store beside the running service; keep ENCRYPTION_KEYS elsewhere',
  arguments: [{ name: '<path>', meaning: 'a file that does not exist yet' }],
  examples: ['npx drift-segment-source backup /var/backups/drift-segment-source-2026-11-24.db'],
  async run(context, _given, [path]) {
    if (!path) throw new Problem('input_missing', 'name the file to write the copy to', { exitCode: 2 })
    await withStore(context, async ({ storage }) => {
      context.remark('copying …')
      await storage.backup(path)
    })
    context.print(`written: ${path}`)
    context.print('to restore: stop the service, put the file where DATABASE_URL points, remove FILE-wal and FILE-shm')
  },
}
