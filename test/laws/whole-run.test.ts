/** What a whole run of the tests prints, and that nothing of it is left when it is killed. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type EventData, test } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { chromium } from 'playwright-core'
import { sharedBrowser } from '../browser.ts'
import { endChild, ended, isThere, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { sharedPostgres, withoutPostgres } from '../postgres.ts'
import report from '../report.ts'

const options = { timeout: 60_000 }
const folder = mkdtempSync(join(tmpdir(), 'whole-run-test-'))
after(() => rmSync(folder, { recursive: true }))
const pathOf = (name: string) => JSON.stringify(fileURLToPath(new URL(`../${name}`, import.meta.url)))

test(
  'a line says how each file ended, as soon as it has, also one that does not load; then come the failures, and the totals of the runner',
  options,
  async () => {
    const seen = join(folder, 'seen')
    const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.test.ts`), text)
    const imports = `import { existsSync } from 'node:fs'; import { test } from 'node:test';`
    // The first ends when the lines of all others have been read.
    write(
      'a-first',
      `${imports} test('waits', async () => { while (!existsSync('seen')) await new Promise(setImmediate) })`,
    )
    write('b-fails', `${imports} test('a law', () => { throw new Error('it was broken') }); test('another', () => {})`)
    write('c-passes', `${imports} test('a third', () => {}); test('a fourth', { skip: 'it is not here' }, () => {})`)
    write('d-loads', `import './nothing.ts'`)
    const reporter = fileURLToPath(new URL('../report.ts', import.meta.url))
    const reporting = [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout', '--test-concurrency=2']
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const run = startChild(process.execPath, ['--test', ...reporting, '*.test.ts'], {
      cwd: folder,
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
  },
)

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
  assert.equal((await Array.fromAsync(report(events()))).join(''), 'long.test.ts: late passed in 1.2 s\n')
})

test('the server and the browser that files share end with the run, also when it is killed with -9', {
  ...options,
  skip: withoutPostgres,
}, async () => {
  const script = `
    const { startShared } = await import(${pathOf('shared.ts')})
    const { env } = await startShared()
    console.log(JSON.stringify(env))
    setInterval(() => {}, 1_000)`
  const run = startChild(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(run.stdout!, 'data')) as [Buffer]
  const { [sharedPostgres]: server, [sharedBrowser]: endpoint } = JSON.parse(String(line)) as Record<string, string>
  const browser = await chromium.connect(endpoint!)
  const client = new pg.Client({ connectionString: server })
  client.on('error', () => {})
  await client.connect()
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const { rows } = await client.query<{ pid: number }>(
    "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer AS pid UNION SELECT pid FROM pg_stat_activity",
  )
  const pids = [...processInfo.map(({ id }) => id), ...rows.map(({ pid }) => pid)]
  assert.ok(pids.length > 4 && pids.every(isThere))
  await endChild(run)
  await eventually(
    () => !pids.some(isThere),
    () => pids,
  )
})
