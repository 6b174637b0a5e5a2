import { existsSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'

/** A copy as of one moment, whatever is written meanwhile: SQLite copies page by page, over a connection of its own. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    throw new Problem('backup_exists', 'the file to write the backup to is there already; it was left untouched', {
      hint: 'name a path that is free',
    })
  }
  const db = new DatabaseSync(from, { readOnly: true })
  try {
    await backup(db, to)
  } finally {
    db.close()
  }
}
