/** What the lines stand on: folders that are removed at the end, backlogs that are made once, and where progress goes. */
import { rmSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addBacklog } from './backlog.ts'
import type { Bench } from './line.ts'
import { install, settingsFor } from './product.ts'

export function openRig(options: Omit<Bench, 'folder' | 'backlog' | 'say'>): Bench {
  const folders: string[] = []
  const backlogs = new Map<string, Promise<string>>()
  let copy = ''
  // However it ends, but by SIGKILL.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  process.once('exit', () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  const rig: Bench = {
    ...options,
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-bench-'))
      folders.push(folder)
      return folder
    },
    async backlog(entries, accounts = 1) {
      const key = `${entries} ${accounts}`
      const made = backlogs.get(key) ?? make(entries, accounts)
      backlogs.set(key, made)
      // One copy at a time: a million entries take more than a gigabyte.
      await rm(copy, { recursive: true, force: true })
      copy = await rig.folder()
      await cp(await made, copy, { recursive: true })
      return copy
    },
    say(text) {
      process.stderr.write(`  ${text}\n`)
    },
  }

  async function make(entries: number, accounts: number): Promise<string> {
    rig.say(`making a backlog of ${entries.toLocaleString('en')}`)
    const folder = await rig.folder()
    const env = settingsFor(options.engine, folder)
    await install(options.root, env, accounts)
    await addBacklog(options.root, env, entries, accounts)
    return folder
  }

  return rig
}
