import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { Problem } from '../../lib/errors.ts'

/** A copy as of one moment, whatever is written meanwhile: it has its name only when it is whole and on disk. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    const [is, hint] = statSync(to).isDirectory()
      ? ['path to write the backup to is a folder', 'name a file in it that is not there yet']
      : ['file to write the backup to is there already; it was left untouched', 'name a path that is free']
    throw new Problem('backup_exists', `the ${is}`, { hint })
  }
  const part = `${to}.part`
  try {
    rmSync(part, { force: true })
    await inThread(from, part)
    renameSync(part, to)
  } catch (cause) {
    throw new Problem('backup_failed', 'the backup could not be written; nothing is left of it', {
      hint: 'is its folder there, is there room, and may the user whom the store belongs to write into it?',
      cause,
    })
  } finally {
    remove(part)
  }
}

/** Where even looking is forbidden, nothing was written either. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

function inThread(from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./copy-thread.ts', import.meta.url), { workerData: { from, to } })
    thread.once('error', reject)
    thread.once('exit', () => resolve())
  })
}
