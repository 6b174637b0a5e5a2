// node runtime/run.mjs --dev runtime/test.mjs [file or pattern ending in .ts …] [option of node --test …]
// Runs the tests under Node's own runner and ends as it ended. Without a file, all of them.
import { globSync } from 'node:fs'
import { endLike, runChild } from './child.mjs'

// Ends a file that hangs, so that a run has a limit as well: several times what the longest file takes on a slow machine.
const fileMsMax = 10 * 60_000
const limit = `${new URL('../test/limit.ts', import.meta.url)}?ms=${fileMsMax}`

const args = process.argv.slice(2)
const given = args.filter((arg) => arg.endsWith('.ts'))
const options = args.filter((arg) => !arg.endsWith('.ts'))
const patterns = given.length > 0 ? given : ['src/**/*.test.ts', 'test/**/*.test.ts']

// Looked for here, because the runner calls it a success to find none.
const files = globSync(patterns).sort()
if (files.length === 0) {
  process.stderr.write(`No test file matches ${patterns.join(' or ')}\n`)
  process.exitCode = 1
} else if (given.length === 0 && !(await isReady())) {
  process.exitCode = 1
} else {
  endLike(await runChild(process.execPath, ['--import', limit, '--test', ...options, ...files]))
}

/** Whether all that a whole run starts is there; says what is not, once, instead of each test. */
async function isReady() {
  const { missingForTests } = await import('../test/set-up.ts')
  const missing = await missingForTests()
  for (const sentence of missing) process.stderr.write(`${sentence}\n`)
  return missing.length === 0
}
