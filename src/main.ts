/** The composition root: the only place that opens a storage engine and ties the parts together. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run } from './cli/index.ts'
import type { Config } from './config.ts'
import { tokensOf } from './drift/envelope.ts'
import { catalogue } from './events/index.ts'
import { disconnecting } from './install/disconnect.ts'
import { grantFields, openGrants } from './install/grant.ts'
import { type Keyring, openKeyring } from './install/keyring.ts'
import { followState, openRoster, type Roster } from './install/roster.ts'
import { sealWriteKey } from './install/write-key.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { type Log, openLog } from './lib/log.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { openOutlet } from './lib/request.ts'
import { askLease } from './pipeline/ask.ts'
import { receiver } from './pipeline/receive.ts'
import { sendLease } from './pipeline/send.ts'
import { keepUp } from './pipeline/upkeep.ts'
import { type Work, working } from './pipeline/work.ts'
import { openStorage } from './storage/open.ts'
import type { Mode, Storage } from './storage/ports.ts'
import { bridgeRoutes } from './web/bridge.ts'
import { liveRoute, readyRoute } from './web/health.ts'
import { openMetrics } from './web/metrics.ts'
import { type Listener, listen, type Routes } from './web/server.ts'
import { webhookRoute } from './web/webhook.ts'

/** Longer than a lease's requests take one by one; each of them renews it. */
const leaseMs = 60_000

export interface Store {
  storage: Storage
  keyring: Keyring
  roster: Roster
  clock: Clock
  close(): Promise<void>
}

/** The store with its keys and accounts: all that a command beside a running service needs. */
export async function openStore(
  config: Pick<Config, 'databaseUrl' | 'encryptionKeys'>,
  mode: Mode = 'beside',
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): Promise<Store> {
  const storage = await openStorage(config.databaseUrl, mode)
  try {
    const keyring = await openKeyring(storage.vault, config.encryptionKeys, random)
    const roster = await openRoster(storage.installs, storage.inbox)
    await roster.reload(clock.now())
    return { storage, keyring, roster, clock, close: () => storage.close() }
  } catch (error) {
    await storage.close()
    throw error
  }
}

export interface Service {
  url: string
  store: Store
  /** Resolves when the store has stopped for good: the process should end, so that a new one can start afresh. */
  broken: Promise<Error>
  /** Accepts nothing new, finishes what is under way, and closes the store. Calling it again changes nothing. */
  close(): Promise<void>
}

export async function openService(
  config: Config,
  {
    clock = systemClock,
    random = systemRandom,
    log = openLog(config.logLevel),
  }: { clock?: Clock; random?: Random; log?: Log } = {},
): Promise<Service> {
  const store = await openStore(config, 'serve', { clock, random })
  try {
    return await startService(config, store, { clock, random, log })
  } catch (error) {
    await store.close()
    throw error
  }
}

async function startService(
  config: Config,
  store: Store,
  { clock, random, log: written }: { clock: Clock; random: Random; log: Log },
): Promise<Service> {
  const { storage, keyring, roster } = store
  const { inbox } = storage
  await installSingle(config, store)
  const metrics = openMetrics({ ledger: storage.ledger, installs: () => roster.all(), clock })
  const log = metrics.counting(written)
  for (const install of roster.all()) await followState(inbox, install, clock.now())

  const outlet = openOutlet()
  const { send } = outlet
  const driftUrl = config.drift.apiUrl
  const grants = openGrants({
    installs: storage.installs,
    roster,
    keyring,
    send,
    clock,
    apiUrl: driftUrl,
    app: config.oauth,
  })
  const disconnect = disconnecting({ roster, grants, keyring, inbox, send, clock, apiUrl: driftUrl })
  const needs = { storage, catalogue, roster, keyring, send, segment: config.segment, clock, random, log, leaseMs }
  const loop = { inbox, clock, log, leaseMs }
  const sending = working({
    ...loop,
    lane: 'send',
    accountsMax: 32,
    limit: 500,
    work: (lease) => sendLease({ ...needs, wakeAsking: () => asking.wake() }, lease),
  })
  const asking: Work = working({
    ...loop,
    lane: 'ask',
    accountsMax: 16,
    limit: 50,
    work: (lease) => askLease({ ...needs, grants, disconnect, driftUrl, wakeSending: () => sending.wake() }, lease),
  })
  const wake = () => {
    sending.wake()
    asking.wake()
  }
  roster.onChange(wake)
  storage.onChange(() => void roster.reload(clock.now()).then(wake, () => log.error('reload_failed')))

  const tokens = tokensOf(config.verificationTokens)
  const receive = receiver({
    tokens,
    catalogue,
    roster,
    keyring,
    inbox,
    clock,
    random,
    wake: (lane) => (lane === 'send' ? sending : asking).wake(),
  })
  let closing: Promise<void> | undefined
  const listeners = await listenAll(
    config,
    {
      '/webhooks/drift': { POST: webhookRoute({ receive, tokens, clock, log }) },
      ...bridgeRoutes,
      '/live': { GET: liveRoute },
      '/ready': { GET: readyRoute(storage, () => closing !== undefined) },
    },
    { '/metrics': { GET: metrics.route } },
    clock,
  )
  const stopUpkeep = keepUp({ inbox, grants, clock, log, retentionDays: config.retentionDays })
  wake()

  async function close(): Promise<void> {
    await Promise.all(listeners.map((listener) => listener.close()))
    await Promise.all([sending.stop(), asking.stop(), stopUpkeep()])
    await outlet.close()
    await store.close()
  }

  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${listeners[0].port}`,
    store,
    broken: storage.broken,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** The public listener and, on an address of its own, the one for metrics; both or none. */
async function listenAll(
  { host, port, metrics }: Config,
  routes: Routes,
  metricsRoutes: Routes,
  clock: Clock,
): Promise<[Listener, ...Listener[]]> {
  const listener = await listen(routes, { host, port, settings: 'HOST and PORT' }, clock)
  if (metrics.port === 0) return [listener]
  try {
    return [listener, await listen(metricsRoutes, { ...metrics, settings: 'METRICS_HOST and METRICS_PORT' }, clock)]
  } catch (error) {
    await listener.close()
    throw error
  }
}

/** Single-account mode: the settings win at each start. */
async function installSingle({ single }: Config, { keyring, roster, clock }: Store): Promise<void> {
  if (!single) return
  const { org, region, accessToken } = single
  const now = clock.now()
  const fields = await grantFields(keyring, org, { accessToken }, now)
  const writeKey = await sealWriteKey(keyring, org, single.writeKey)
  await roster.change(org, now, ({ refreshAt: _, reason: _why, ...install }) => ({
    ...install,
    ...fields,
    writeKey,
    region,
    state: install.state === 'paused' ? 'paused' : 'live',
  }))
}

// Not import.meta.main, which the oldest Node 24 does not have.
const started = process.argv[1]
if (started && realpathSync(started) === fileURLToPath(import.meta.url)) {
  process.exitCode = await run(process.argv.slice(2), { openStore, openService })
}
