/** Rewrites the store's file in its place, while nothing else has it open: what was erased is nowhere in the new one. */
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../lib/errors.ts'
import { notThere, storeAt } from './at-path.ts'
import { lockFor } from './database.ts'
import { severityOf } from './errors.ts'
import { assertOurs, migrate } from './migrations.ts'
import { rewriteFrom } from './rewrite.ts'

export interface Compacted {
  bytesBefore: number
  bytesAfter: number
}

/** A crash leaves the old file or the new one, both whole. Throws a Problem where no store is there, and makes none. */
export function compactDatabase(path: string): Compacted {
  const real = storeAt(path)
  const part = `${real}.compact`
  const lock = lockFor(real)
  const db = new DatabaseSync(real, { timeout: 0 })
  try {
    assertOurs(db)
    migrate(db, notThere)
    haveItAlone(db)
    const { size: bytesBefore, uid, gid, mode } = statSync(real)
    rmSync(part, { force: true })
    rewriteFrom(db, part)
    // The service must be able to open it, also where an administrator runs this as another user.
    chownSync(part, uid, gid)
    chmodSync(part, mode)
    renameSync(part, real)
    syncFolder(dirname(real))
    return { bytesBefore, bytesAfter: statSync(real).size }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('compact_failed', 'the store could not be rewritten; it is as it was', {
      hint:
        severityOf(cause) === 'full'
          ? 'make room for a second file of its size beside it'
          : 'does a command still work on it? is there room for a second file of its size, and may you write beside it?',
      cause,
    })
  } finally {
    rmSync(part, { force: true })
    db.close()
    lock.close()
  }
}

/** Puts the log into the file and removes it, which SQLite does for the only one who has the file open; so it stays. */
function haveItAlone(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
