import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'
import { removeStamp } from './stamp.ts'

/**
 * A copy as of one moment, whatever is written meanwhile: SQLite copies page by page, over a connection of its own. It
 * has its name only when it is whole and on disk, and is its owner's alone.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    throw new Problem('backup_exists', 'the file to write the backup to is there already; it was left untouched', {
      hint: 'name a path that is free',
    })
  }
  const part = `${to}.part`
  const db = new DatabaseSync(from, { readOnly: true })
  try {
    rmSync(part, { force: true })
    await backup(db, part)
    removeStamp(part)
    chmodSync(part, 0o600)
    const file = openSync(part, 'r+')
    fsyncSync(file)
    closeSync(file)
    renameSync(part, to)
  } catch (cause) {
    throw new Problem('backup_failed', 'the backup could not be written; nothing is left of it', {
      hint: 'is its folder there, is there room, and may you write into it?',
      cause,
    })
  } finally {
    db.close()
    rmSync(part, { force: true })
  }
}
