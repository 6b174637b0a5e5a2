/** A service that starts before its database does. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../clock.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../postgres.ts'
import { runCommand } from '../rig.ts'
import { neededSettings } from '../settings.ts'

let server: Postgres
let url: string
before(async () => {
  if (withoutPostgres) return
  server = await startPostgres()
  url = await server.fresh()
})
after(() => server?.close())

const env = () => ({
  PORT: '0',
  METRICS_PORT: '0',
  DATABASE_URL: url,
  LOG_LEVEL: 'silent',
  ...neededSettings,
})

test('waits for a database server that is not up yet, says so once, and then listens', {
  skip: withoutPostgres,
}, async () => {
  await server.stop('fast')
  const said: string[] = []
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const running = runCommand(env(), 'serve', { stopped, said: (line) => said.push(line) })
  await eventually(() => said.length > 0)
  assert.match(said[0]!, /cannot be reached.*waiting for it/)
  await server.start()
  await eventually(() => said.some((line) => line.startsWith('listening on')))
  assert.equal(said.filter((line) => /waiting/.test(line)).length, 1)
  stop()
  assert.equal((await running).exitCode, 0)
})

test('ends at once on a signal while it waits', { skip: withoutPostgres }, async () => {
  await server.stop('fast')
  const said: string[] = []
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const running = runCommand(env(), 'serve', { stopped, said: (line) => said.push(line) })
  await eventually(() => said.length > 0)
  stop()
  assert.equal((await running).exitCode, 0)
  await server.start()
})
