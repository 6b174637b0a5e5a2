/**
 * A test file ends when its tests are over. What a failed test has left open (a server that listens, a connection) would
 * keep it, and so the whole run, for good: then the file fails instead, and says what is open.
 */
import { after } from 'node:test'

/** Longer than all that is open takes to close, a database server on a busy disk included. */
const closingMsMax = Number(process.env.TEST_CLOSING_MS ?? 30_000)

/** The torture and the bench, which stand on the same parts, end in their own ways. */
export const isTestFile = process.argv[1]?.endsWith('.test.ts') ?? false

function endAnyway(): void {
  const open = process.getActiveResourcesInfo().join(', ')
  process.stderr.write(`the tests of this file are over, and still open are: ${open}\n`)
  process.exit(1)
}

/** Counted in ten turns: what holds up the whole process, such as a slow disk, is one of them, however long it takes. */
function waitFor(turns: number): void {
  setTimeout(() => (turns === 1 ? endAnyway() : waitFor(turns - 1)), closingMsMax / 10).unref()
}

if (isTestFile) after(() => waitFor(10))
