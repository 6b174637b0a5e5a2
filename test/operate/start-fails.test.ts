/** A start that fails late ends as one that fails at once: on each engine, with one sentence, and nothing goes on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, describe, test } from 'node:test'
import { startSims } from '../../src/sim/index.ts'
import { engines } from '../engines.ts'
import { runCommand, settingsFor } from '../rig.ts'
import { serve } from '../serve.ts'

const taken = createServer().listen(0, '127.0.0.1')
await once(taken, 'listening')
const sims = await startSims()
after(async () => {
  taken.close()
  await sims.close()
})

describe('a start whose port for metrics is taken', () => {
  for (const engine of engines)
    test(`ends with 78 and says which setting, on ${engine.name}`, { skip: engine.skip, timeout: 30_000 }, async () => {
      const stores = await engine.start()
      const { port } = taken.address() as { port: number }
      const env = { ...settingsFor(sims, ''), DATABASE_URL: await stores.fresh(), METRICS_PORT: String(port) }
      const service = await serve(env)
      assert.equal(await service.ended, 78)
      assert.equal(
        service.said(),
        `cannot_listen: cannot listen on 127.0.0.1:${port}: the port is taken\n  what to do: set METRICS_HOST and METRICS_PORT`,
      )
      await stores.close()
    })
})

describe('`sim` whose port is taken', () => {
  for (const option of ['driftPort', 'segmentPort', 'control'])
    test(`ends and says so: ${option}`, async () => {
      const { port } = taken.address() as { port: number }
      const starting = runCommand({}, 'sim', { given: { [option]: String(port) } })
      await assert.rejects(starting, {
        code: 'cannot_listen',
        message: `cannot listen on 127.0.0.1:${port}: the port is taken`,
      })
    })
})
