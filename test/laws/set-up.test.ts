/** What the tests start can be started as any user, from any folder; and what is missing is said once. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { temporaryFor } from '../postgres-binaries.ts'
import { missingForTests } from '../set-up.ts'

const nobody = { uid: 65_534, gid: 65_534 }

describe('where TMPDIR names a folder', { skip: process.platform === 'win32' ? 'no TMPDIR there' : false }, () => {
  const { TMPDIR } = process.env
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'set-up-test-'))
    chmodSync(folder, 0o700)
    process.env.TMPDIR = folder
  })
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    rmSync(folder, { recursive: true, force: true })
  })

  test('that only its owner may enter, PostgreSQL of another user gets the files elsewhere', async () => {
    assert.notEqual(await temporaryFor(nobody), folder)
    assert.equal(await temporaryFor({}), folder)
  })

  test('that is not there, the whole run says so in one sentence', async () => {
    rmSync(folder, { recursive: true })
    assert.deepEqual(await missingForTests(), [
      `the tests need a folder for temporary files, and ${folder} cannot be written (ENOENT): set TMPDIR`,
    ])
  })
})
