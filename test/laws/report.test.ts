/** What a whole run of the tests prints. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const reporter = fileURLToPath(new URL('../report.ts', import.meta.url))

test('a failure is listed under the titles of all that it stands in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-test-'))
  try {
    const path = join(folder, 'a.test.mjs')
    const failing =
      "describe('a key', () => { test('fits', () => {}); test('opens', () => { throw new Error('no') }) })"
    writeFileSync(path, `import { describe, test } from 'node:test'\n${failing}\ntest('a lock', () => { throw 1 })`)
    const args = ['--test', `--test-reporter=${reporter}`, '--test-reporter-destination=stdout', path]
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
    const listed = stdout.slice(stdout.indexOf('failing tests:')).match(/(?<=^✖ ).*(?= \()/gm)
    assert.deepEqual(listed, ['a key › opens', 'a lock'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
