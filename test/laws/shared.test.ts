/** What test files share ends with the run. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import pg from 'pg'
import { chromium } from 'playwright-core'
import { sharedBrowser } from '../browser.ts'
import { endChild, isThere, startChild } from '../children.ts'
import { eventually } from '../clock.ts'
import { sharedPostgres, withoutPostgres } from '../postgres.ts'

const shared = JSON.stringify(new URL('../shared.ts', import.meta.url))

test('the server and the browser that files share end with the run, also when it is killed with -9', {
  timeout: 60_000,
  skip: withoutPostgres,
}, async () => {
  const script = `
    const { startShared } = await import(${shared})
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
