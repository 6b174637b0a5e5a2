// node runtime/run.mjs --dev runtime/test.mjs [file or pattern ending in .ts …] [option of node --test …]
// Runs the tests under Node's own runner and ends as it ended. Without a file, all of them.
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { endLike, runChild } from './child.mjs'

// Ends a file that hangs, so that a run has a limit as well: several times what the longest file takes on a slow machine.
const fileMsMax = 10 * 60_000
const limit = `${new URL('../test/limit.ts', import.meta.url)}?ms=${fileMsMax}`

// Files wait for disks and clocks as well: on a small machine two at once take less time than one after the other.
const atOnce = Math.max(2, availableParallelism() - 1)

const args = process.argv.slice(2)
const given = args.filter((arg) => arg.endsWith('.ts'))
const options = args.filter((arg) => !arg.endsWith('.ts'))
const patterns = given.length > 0 ? given : ['src/**/*.test.ts', 'test/**/*.test.ts']

// Looked for here, because the runner calls it a success to find none.
const files = globSync(patterns).sort()
const unmatched = patterns.filter((pattern) => globSync(pattern).length === 0)
if (unmatched.length > 0) {
  process.stderr.write(`No test file matches ${unmatched.join(' or ')}\n`)
  process.exitCode = 1
} else if (given.length > 0) {
  endLike(await runTests())
} else if (await isReady()) {
  await runAll()
} else {
  process.exitCode = 1
}

function runTests(reporting = [], more = {}) {
  const all = ['--import', limit, '--test', ...reporting, ...options, ...files]
  return runChild(process.execPath, all, { env: { ...process.env, ...more } })
}

/** With what test files share, and a line as each ends; one sentence where that does not start. */
async function runAll() {
  const { startShared } = await import('../test/shared.ts')
  const shared = await startShared().catch((error) => {
    process.stderr.write(`${error.message}\n`)
  })
  if (!shared) {
    process.exitCode = 1
    return
  }
  const report = new URL('../test/report.ts', import.meta.url)
  const reporting = [`--test-reporter=${report}`, '--test-reporter-destination=stdout', `--test-concurrency=${atOnce}`]
  const ended = await runTests(reporting, shared.env)
  await shared.close()
  endLike(ended)
}

/** Whether all that a whole run starts is there; says what is not, once, instead of each test. */
async function isReady() {
  const many = `${files.length} test files, ${atOnce} at once: about five minutes on two cores`
  process.stdout.write(`A PostgreSQL and a browser are started for ${many}\n`)
  const { missingForTests } = await import('../test/set-up.ts')
  const missing = await missingForTests()
  for (const sentence of missing) process.stderr.write(`${sentence}\n`)
  return missing.length === 0
}
