/** A service listens before it has wholly started: what comes meanwhile, and what is left if the start then fails. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openService, openStore, type Service } from '../../src/service.ts'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { freePort } from '../free-port.ts'
import { org, settingsFor } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

let sims: Sims
let stores: Stores
before(async () => {
  sims = await startSims()
  stores = await engines[0]!.start()
})
after(async () => {
  await sims.close()
  await stores.close()
})

interface Late {
  starting: Promise<Service>
  walk: Walk
  to: string
  claims(): number
  /** The store answers what the start waits for, or fails. */
  goOn(error?: Error): void
}

/** Resolves when the service listens. Its start then waits for the store until the test lets it go on. */
async function startLate(more: { DRIFT_API_URL?: string } = {}): Promise<Late> {
  const port = await freePort()
  const env = { ...settingsFor(sims, ''), DATABASE_URL: await stores.fresh(), PORT: String(port), ...more }
  const config = readConfig(env)
  const store = await openStore(config, 'serve')
  const { inbox, lookup } = store.storage
  const { promise: waitsFor, resolve, reject } = Promise.withResolvers<void>()
  let claims = 0
  const counted: typeof inbox.claim = (lane, options) => {
    claims++
    return inbox.claim(lane, options)
  }
  const storage = {
    ...store.storage,
    inbox: withOthers(inbox, { claim: counted }),
    lookup: withOthers(lookup, { lastReceivedAt: () => waitsFor.then(() => lookup.lastReceivedAt()) }),
  }
  const late = { ...store, storage }
  const starting = openService(config, { store: late, log: silentLog, unsafeAllowLoopback: true })
  starting.catch(() => {})
  const url = `http://127.0.0.1:${port}`
  const walk = openWalk({ service: { url } as Service, sims })
  await eventually(() =>
    walk.get(`${url}/live`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  const goOn = (error?: Error) => (error ? reject(error) : resolve())
  return { starting, walk, to: `${url}/webhooks/drift`, claims: () => claims, goOn }
}

/** An engine's parts make their functions when they are asked for them. */
function withOthers<Part extends object>(part: Part, others: Partial<Part>): Part {
  return new Proxy(part, { get: (_, name) => Reflect.get(Object.hasOwn(others, name) ? others : part, name) })
}

describe('a service that listens and has not wholly started', () => {
  test('keeps webhooks and claims none of them, and delivers them as soon as it has', async () => {
    const { starting, to, walk, claims, goOn } = await startLate()
    await walk.connect(org)
    assert.equal((await sims.drift.send('new_conversation', { to, orgId: org })).status, 200)
    await new Promise(setImmediate)
    assert.equal(claims(), 0)
    goOn()
    const service = await starting
    await eventually(() => claims() > 0)
    await walk.close()
    await service.close()
  })

  test('takes a new recipient of alerts', async () => {
    const { starting, walk, goOn } = await startLate()
    await walk.connect(org)
    const page = await walk.get(walk.at('/console/alerts'))
    const form = { channel: 'slack', address: 'http://127.0.0.1:1/services/T0/B0/x' }
    const answered = await walk.submit(page, form, '/console/alerts/add')
    assert.equal(answered.status, 303, answered.body)
    goOn()
    await walk.close()
    await (await starting).close()
  })
})

test('a start that fails late closes the connections to Drift', async () => {
  const drift = createServer({ keepAliveTimeout: 600_000 }, (_, response) => response.writeHead(503).end())
  drift.listen(0, '127.0.0.1')
  await once(drift, 'listening')
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      drift.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  const { port } = drift.address() as AddressInfo
  const { starting, walk, goOn } = await startLate({ DRIFT_API_URL: `http://127.0.0.1:${port}` })
  await walk.connect(org)
  assert.equal(await connections(), 1)
  goOn(new Error('the store fails'))
  await assert.rejects(starting, /the store fails/)
  await eventually(async () => (await connections()) === 0)
  await walk.close()
  drift.close()
})
