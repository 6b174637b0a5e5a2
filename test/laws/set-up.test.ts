/** What the tests start can be started as any user, from any folder; and what is missing is said once. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFor } from '../postgres-binaries.ts'
import { missingForTests } from '../set-up.ts'

const runtime = new URL('../../runtime/', import.meta.url)
const withoutRights = { uid: 65_534, gid: 65_534 }

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
    assert.notEqual(await temporaryFor(withoutRights), folder)
    assert.equal(await temporaryFor({}), folder)
  })

  test('that is not there, the whole run says so in one sentence', async () => {
    rmSync(folder, { recursive: true })
    assert.deepEqual(await missingForTests(), [
      `the tests need a folder for temporary files, and ${folder} cannot be written (ENOENT): set TMPDIR`,
    ])
  })
})

test('what all test files share and does not start is named in one sentence, and no test runs', {
  timeout: 60_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'set-up-test-'))
  try {
    for (const name of ['src', 'test']) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'a.test.ts'), "console.log('a test ran')")
    }
    const [run, tests] = ['run.mjs', 'test.mjs'].map((name) => fileURLToPath(new URL(name, runtime))) as [
      string,
      string,
    ]
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, SKIP_POSTGRES: '1', CHROMIUM_PATH: process.execPath }
    const { status, stdout, stderr } = spawnSync(process.execPath, [run, '--dev', tests], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    assert.match(stderr, /^the browser .+ does not start; .+\n$/)
    assert.doesNotMatch(stdout, /a test ran/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
