/** Builds the running service from its settings: the one place where the parts are tied together, and a store is opened for them. */

import { type Accounts, openAccounts } from './accounts/accounts.ts'
import { configureSingle } from './accounts/add-account.ts'
import { type Keyring, openKeyring } from './accounts/keyring.ts'
import { assertNoneRepeated } from './accounts/repeated.ts'
import { holdOf } from './accounts/state.ts'
import { farewells } from './alerts/farewell.ts'
import { openMail } from './alerts/mail.ts'
import { startAlerts } from './alerts/run.ts'
import { addressOf, type Config } from './config.ts'
import { tokensOf } from './drift/envelope.ts'
import { catalogue } from './events/index.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { codeOf, hintOf } from './lib/errors.ts'
import { type Log, openLog } from './lib/log.ts'
import { openPublicSend } from './lib/public-request.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { openHttpClient } from './lib/request.ts'
import { sampledLog } from './lib/sampled-log.ts'
import { newSecret } from './lib/secret.ts'
import { startOperations } from './operations/run.ts'
import { warningOfTls } from './operations/tls-warning.ts'
import { openPipeline } from './pipeline/open.ts'
import { context } from './segment/call.ts'
import type { Places } from './segment/place.ts'
import { engineOf, openStorage } from './storage/open.ts'
import type { Mode, Storage } from './storage/ports/storage.ts'
import { appRoute, openApp } from './web/app.ts'
import { bridgeRoutes } from './web/bridge.ts'
import { assetRoutes } from './web/console/ui/assets.ts'
import { liveRoute, readyRoute } from './web/health.ts'
import { openBodyBudget } from './web/http/body-budget.ts'
import { refusedLine } from './web/http/refused-lines.ts'
import { type Listener, listen, type Route, type Routes } from './web/http/server.ts'
import { openMetrics } from './web/metrics.ts'
import { webhookRoute } from './web/webhook.ts'

export interface Store {
  storage: Storage
  keyring: Keyring
  accounts: Accounts
  clock: Clock
  /** Where destinations may send; absent where the settings were not read. */
  places?: Places
  /** Whose first destination the settings give: single-account mode. */
  singleOrg?: string
  close(): Promise<void>
}

/** The store with its keys and accounts: all that a command beside a running service needs. */
export async function openStore(
  config: Pick<Config, 'databaseUrl' | 'encryptionKeys'> &
    Partial<Pick<Config, 'orgsAllowed' | 'segment' | 'singleOrg'>>,
  mode: Mode = 'beside',
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): Promise<Store> {
  const storage = await openStorage(config.databaseUrl, mode)
  try {
    const keyring = await openKeyring(storage.vault, config.encryptionKeys, random)
    const { orgsAllowed: orgs, segment: places, singleOrg } = config
    const accounts = await openAccounts(storage.installs, storage.inbox, { orgs, endpoints: places?.endpoints })
    await accounts.reload(clock.now())
    const known = { ...(places ? { places } : {}), ...(singleOrg === undefined ? {} : { singleOrg }) }
    return { storage, keyring, accounts, clock, ...known, close: () => storage.close() }
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
  /** Finishes what is under way and closes the store; until then webhooks are kept. Calling it again changes nothing. */
  close(): Promise<void>
}

export interface ServiceOptions {
  clock?: Clock
  random?: Random
  log?: Log
  /** One that is open already, for serving. */
  store?: Store
  leaseMs?: number
  /** Alerts may go to receivers on this machine: for the demo and for tests. No setting says so. */
  unsafeAllowLoopback?: boolean
}

export async function openService(
  config: Config,
  {
    clock = systemClock,
    random = systemRandom,
    log = openLog(config.logLevel),
    store: opened,
    leaseMs,
    unsafeAllowLoopback = false,
  }: ServiceOptions = {},
): Promise<Service> {
  const store = opened ?? (await openStore(config, 'serve', { clock, random }))
  const begun: StartNeeds['begun'] = []
  try {
    return await startService(config, store, { clock, random, log, leaseMs, unsafeAllowLoopback, begun })
  } catch (error) {
    for (const end of begun.toReversed()) await end()
    await store.close()
    throw error
  }
}

interface StartNeeds extends Required<Omit<ServiceOptions, 'store' | 'leaseMs'>> {
  leaseMs: number | undefined
  /** Ends each part that has begun, where a later one does not: what the store says wakes some of them at once. */
  begun: (() => Promise<unknown>)[]
}

async function startService(
  config: Config,
  store: Store,
  { clock, random, log: written, leaseMs, unsafeAllowLoopback, begun }: StartNeeds,
): Promise<Service> {
  const { storage, keyring, accounts } = store
  if (config.single) await configureSingle(store, config.single)
  await assertNoneRepeated(store)
  const metrics = openMetrics({ storage, installs: () => accounts.all(), clock })
  const log = metrics.counting(sampledLog(written, clock, refusedLine))
  for (const { is, ...note } of config.notes) {
    if (is === 'misspelt') log.warn('setting_misspelt', note)
    else if (is === 'unknown') log.warn('setting_unknown', note)
    else if (is === 'passed_over') log.warn('setting_passed_over', note)
    else log.warn('setting_unusual', note)
  }
  void storage.broken.then((error) => log.error('store_stopped', { code: codeOf(error), hint: hintOf(error) }))

  const httpClient = openHttpClient({ proxies: config.proxies })
  // What browsers set off has connections of its own: strangers must not keep look-ups and deliveries waiting.
  const pagesClient = openHttpClient({ connections: 8, proxies: config.proxies })
  const alertsClient = openHttpClient({ connections: 8, proxies: config.proxies })
  const alertsClosing = new AbortController()
  alertsClosing.signal.addEventListener('abort', () => void alertsClient.close())
  begun.push(httpClient.close, pagesClient.close)
  // Called before what they wake has begun: that looks for itself when it begins.
  let [wakeJobs, wakeAlerts] = [() => {}, () => {}]
  const pipeline = await openPipeline({
    storage,
    keyring,
    accounts,
    catalogue,
    send: warningOfTls(httpClient.send, log),
    drift: { apiUrl: config.drift.apiUrl, app: config.oauth, verificationTokens: config.verificationTokens },
    segment: config.segment,
    orgsAllowed: config.orgsAllowed,
    clock,
    random,
    log,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    farewell: farewells({ storage, accounts, clock, wake: () => wakeAlerts(), closing: alertsClosing.signal }),
  })
  begun.push(pipeline.stop, async () => alertsClosing.abort())
  const { receive, grants } = pipeline
  const wake = () => {
    pipeline.wake()
    wakeJobs()
  }
  const tokens = tokensOf(config.verificationTokens)
  let closing: Promise<void> | undefined
  let url = ''
  const pagesClosing = new AbortController()
  const strangers = openBodyBudget()
  const app = openApp({
    config,
    publicUrl: () => config.publicUrl ?? url,
    storage,
    keyring,
    accounts,
    disconnect: pipeline.disconnect,
    wake,
    closing: pagesClosing.signal,
    send: pagesClient.send,
    alerts: { canMail: config.alerts.mail !== undefined, unsafeAllowLoopback, wake: () => wakeAlerts() },
    strangers,
    clock,
    random,
    log,
  })
  const listeners = await listenAll(
    config,
    {
      '/webhooks/drift': {
        POST: webhookRoute({ receive, tokens, strangers, clock, log, took: metrics.webhookTook }),
      },
      ...bridgeRoutes(metrics.bridgeAsked),
      ...assetRoutes,
      '/live': { GET: liveRoute },
      '/ready': { GET: readyRoute(storage, () => closing !== undefined, clock) },
    },
    { '/metrics': { GET: metrics.route } },
    clock,
    appRoute(app),
  )
  begun.push(...listeners.map((listener) => listener.close))
  url = addressOf({ host: config.host, port: listeners[0].port })
  const operations = await startOperations({
    storage,
    keyring,
    accounts,
    catalogue,
    grants,
    retentionDays: config.retentionDays,
    send: warningOfTls(httpClient.send, log),
    driftUrl: config.drift.apiUrl,
    random,
    clock,
    log,
    wake: pipeline.wake,
  })
  begun.push(operations.stop)
  wakeJobs = operations.wakeJobs
  storage.onChange(wakeJobs)
  storage.onDue(wakeJobs)
  const { operatorUrl, mail } = config.alerts
  const alerting = startAlerts({
    storage,
    keyring,
    accounts,
    clock,
    random,
    log,
    toOperator: operatorUrl !== undefined,
    operatorUrl,
    sendPublic: openPublicSend({
      clock,
      proxies: config.proxies,
      unsafeAllowLoopback,
      closing: alertsClosing.signal,
    }),
    sendOperator: alertsClient.send,
    mail: mail && openMail(mail, clock, alertsClosing.signal),
    closing: alertsClosing,
    publicUrl: () => config.publicUrl ?? url,
  })
  wakeAlerts = alerting.wake
  accounts.onChange(alerting.changed)
  accounts.onSeen(alerting.changed)
  storage.onChange(alerting.wake)
  storage.onDue(alerting.wake)
  pipeline.start()
  const about = {
    version: context.integration.version,
    node: process.versions.node,
    engine: engineOf(config.databaseUrl),
    // Lines of several replicas may lie in one place: which of them started and stopped when.
    instance: newSecret(random).slice(0, 8),
    pid: process.pid,
  }
  for (const install of accounts.all().filter(({ unreadable }) => unreadable))
    log.warn('account_held', { org: install.org, state: install.state, reason: holdOf(install) })
  log.info('started', { ...about, accounts: accounts.all().length })

  async function close(): Promise<void> {
    log.info('stopping', about)
    pagesClosing.abort()
    await Promise.all([pipeline.stop(), operations.stop(), alerting.stop()])
    await Promise.all(listeners.map((listener) => listener.close()))
    await Promise.all([httpClient.close(), pagesClient.close()])
    await store.close()
    log.info('stopped', about)
  }

  return {
    url,
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
  otherwise: Route,
): Promise<[Listener, ...Listener[]]> {
  const listener = await listen(routes, { host, port, settings: 'HOST and PORT' }, clock, otherwise)
  if (metrics.port === 0) return [listener]
  try {
    return [listener, await listen(metricsRoutes, { ...metrics, settings: 'METRICS_HOST and METRICS_PORT' }, clock)]
  } catch (error) {
    await listener.close()
    throw error
  }
}
