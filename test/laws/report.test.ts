/** What a whole run of the tests prints. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type EventData, test } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { ended, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import report from '../report.ts'

const reporter = fileURLToPath(new URL('../report.ts', import.meta.url))
const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
const scratch = mkdtempSync(join(tmpdir(), 'report-test-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

test('a failure is listed under the titles of all that it stands in', () => {
  const path = join(scratch, 'a.test.mjs')
  const failing = "describe('a key', () => { test('fits', () => {}); test('opens', () => { throw new Error('no') }) })"
  writeFileSync(path, `import { describe, test } from 'node:test'\n${failing}\ntest('a lock', () => { throw 1 })`)
  const args = ['--test', `--test-reporter=${reporter}`, '--test-reporter-destination=stdout', path]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  const listed = stdout.slice(stdout.indexOf('failing tests:')).match(/(?<=^✖ ).*(?= \()/gm)
  assert.deepEqual(listed, ['a key › opens', 'a lock'])
})

test('each file has a line as soon as it has ended, also one that does not load; the failures and the totals come last', {
  timeout: 60_000,
}, async () => {
  const seen = join(scratch, 'seen')
  const write = (name: string, text: string) => writeFileSync(join(scratch, `${name}.test.ts`), text)
  const imports = `import { existsSync } from 'node:fs'; import { test } from 'node:test';`
  // The first ends when the lines of all others have been read.
  write(
    'a-first',
    `${imports} test('waits', async () => { while (!existsSync('seen')) await new Promise(setImmediate) })`,
  )
  write('b-fails', `${imports} test('a law', () => { throw new Error('it was broken') }); test('another', () => {})`)
  write('c-passes', `${imports} test('a third', () => {}); test('a fourth', { skip: 'it is not here' }, () => {})`)
  write('d-loads', `import './nothing.ts'`)
  const reporting = [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout', '--test-concurrency=2']
  const run = startChild(process.execPath, ['--test', ...reporting, '*.test.ts'], {
    cwd: scratch,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let said = ''
  run.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
  const others = [/^b-fails.test.ts failed in/m, /^c-passes.test.ts passed in/m, /^d-loads.test.ts failed in/m]
  await eventually(
    () => others.every((line) => line.test(said)),
    () => said,
  )
  assert.ok(!existsSync(seen))
  writeFileSync(seen, '')
  assert.equal(await ended(run), 1)
  assert.match(said, /^a-first.test.ts passed in/m)
  assert.match(said, /fourth.*it is not here/)
  assert.doesNotMatch(said, /a third|another/)
  const [, failures] = said.split('failing tests:')
  assert.match(failures!, /a law[\s\S]*it was broken/)
  assert.match(failures!, /d-loads\.test\.ts/)
  assert.match(said, /tests 6\n.*suites 0\n.*pass 3\n.*fail 2\n.*cancelled 0\n.*skipped 1\n/)
})

test('a file that runs for long has a line for a test of it after five seconds without any', async (context) => {
  let now = 0
  context.mock.method(performance, 'now', () => now)
  async function* events(): AsyncGenerator<TestEvent> {
    for (const [name, at] of [
      ['early', 4_900],
      ['late', 5_100],
      ['next', 5_200],
    ] as const) {
      now = at
      const details = { passed: true, duration_ms: 1_200, type: 'test' } as const
      const data = { name, file: join(process.cwd(), 'long.test.ts'), nesting: 1, testNumber: 1, details }
      yield { type: 'test:complete', data: data as unknown as EventData.TestComplete }
    }
  }
  let said = ''
  for await (const text of report(events())) said += text
  assert.equal(said, 'long.test.ts: late passed in 1.2 s\n')
})
