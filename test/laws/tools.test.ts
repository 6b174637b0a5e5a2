/** The tools of this project say how they are used, and refuse an option that they do not have without a stack. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const runTool = (tool: string, option: string) =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', tool, option], { cwd: root, encoding: 'utf8' })

describe('a tool of the project', { timeout: 60_000 }, () => {
  for (const tool of ['bench/index.ts', 'torture/main.ts']) {
    test(`${tool} --help says how it is used, and exits 0`, () => {
      const { status, stdout, stderr } = runTool(tool, '--help')
      assert.match(stdout, /^npm run \w+ -- \[option …\]\n {2}--/)
      assert.deepEqual([status, stderr], [0, ''])
    })
  }

  for (const tool of ['bench/index.ts', 'torture/main.ts', 'build/release.ts']) {
    test(`${tool} refuses an option that it does not have, by its name and without a stack`, () => {
      const { status, stderr } = runTool(tool, '--nonsense')
      assert.notEqual(status, 0)
      assert.match(stderr, /^Unknown option '--nonsense'/)
      assert.doesNotMatch(stderr, /^ +at /m)
    })
  }
})
