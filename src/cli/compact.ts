/** Rewriting an SQLite file without what was deleted from it. */
import { readConfig } from '../config.ts'
import type { Command } from './command.ts'

export const compact: Command = {
  name: 'compact',
  summary: 'rewrite the SQLite file, without what was deleted from it, while no service runs',
  examples: ['npx drift-segment-source compact'],
  async run(context) {
    context.remark('rewriting the store …')
    const { bytesBefore, bytesAfter } = await context.compactStore(readConfig(context.env(), 'store').databaseUrl)
    const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`
    context.print(
      `${mebibytes(bytesBefore)} before, ${mebibytes(bytesAfter)} now; nothing of what was erased is left in it`,
    )
  },
}
