/**
 * A word in the store's file that is new with every start of a service, and that no backup has. Another word there means
 * that the content was replaced in place, as `cp` does it, though the file is the same.
 */
import { DatabaseSync } from 'node:sqlite'
import { systemRandom } from '../../lib/random.ts'
import type { Row } from './database.ts'
import { primaryCode } from './errors.ts'
import { truncateLog } from './purge.ts'

/** Result codes of sqlite.org/rescode.html: no such table, a damaged file, not a database. */
const otherContent: readonly (number | undefined)[] = [1, 11, 26]

/** Puts a new word into the file; the answer looks whether it is there still, past everything that is cached: 0.3 ms. */
export function stampFile(db: DatabaseSync, path: string): () => boolean {
  const stamp = systemRandom.bytes(16).toString('base64url')
  db.prepare('UPDATE opened SET stamp = ?').run(stamp)
  // In the log alone it would be found whatever the file holds.
  truncateLog({ exec: (sql) => db.exec(sql), get: (sql) => db.prepare(sql).get() as Row | undefined }, 0)
  // mutant: does not look whether another content was copied into its file
  return () => {
    try {
      return stampIn(path) === stamp
    } catch (error) {
      return !otherContent.includes(primaryCode(error))
    }
  }
}

function stampIn(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare('SELECT stamp FROM opened').get()?.stamp
  } finally {
    db.close()
  }
}
