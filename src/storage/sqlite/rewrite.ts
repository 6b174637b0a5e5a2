/**
 * A store's content written into a new file by SQLite itself, row by row: what was deleted is not in it, nor what SQLite
 * left in its pages. As of one moment, whatever is written meanwhile; until it ends, the log of the store grows.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createForUs } from './at-path.ts'

/** `to`: a path that is free. It is its owner's alone, and on disk when this returns. */
export function rewriteInto(from: string, to: string): void {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 })
  try {
    rewriteFrom(db, to)
  } finally {
    db.close()
  }
}

export function rewriteFrom(db: DatabaseSync, to: string): void {
  createForUs(to)
  db.prepare('VACUUM INTO ?').run(to)
  makeFresh(to)
  const file = openSync(to, 'r+')
  fsyncSync(file)
  closeSync(file)
}

/** No service uses the copy, and nothing of what was erased is in it. */
function makeFresh(path: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec("UPDATE opened SET stamp = ''; UPDATE erasures SET logged = last, purged = last")
  } finally {
    db.close()
  }
}
