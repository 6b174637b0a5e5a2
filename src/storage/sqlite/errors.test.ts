import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { problemOf, severityOf } from './errors.ts'

test('a file that another process has locked is the store being busy, which passes, and not a fault of the disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drift-segment-source-busy-'))
  const [one, other] = [1, 2].map(() => new DatabaseSync(join(folder, 'store.db'), { timeout: 0 }))
  try {
    one!.exec('BEGIN EXCLUSIVE')
    let refused: unknown
    assert.throws(
      () => other!.exec('BEGIN IMMEDIATE'),
      (error) => {
        refused = error
        return true
      },
    )
    const { code, hint } = problemOf(refused)
    assert.deepEqual([code, severityOf(refused)], ['store_busy', undefined])
    assert.match(hint!, /sqlite3/)
  } finally {
    one!.close()
    other!.close()
    rmSync(folder, { recursive: true })
  }
})
