/**
 * Prometheus metrics. What happens while the process runs is counted from the same wide lines that the log gets; what
 * is stored is counted by the store at each scrape. Labels are words of this code, never what a webhook says.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type Destination, destinationsOf } from '../accounts/destinations.ts'
import { stateShown } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import type { Fields, Log } from '../lib/log.ts'
import { countSilent } from '../operations/silence.ts'
import { context } from '../segment/call.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { ignoredReasons } from '../storage/ports/entry.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { Route } from './http/server.ts'

export interface Metrics {
  /** The same log, and every line of a unit of work is counted. */
  counting(log: Log): Log
  /** How long one webhook took, which its group's line does not say. */
  webhookTook(ms: number): void
  /** The bridge's script was asked for: see bridge.ts. */
  bridgeAsked(build: string): void
  route: Route
}

interface Needs {
  storage: Pick<Storage, 'ledger' | 'check' | 'logBytes'>
  installs(): Install[]
  clock: Clock
}

const prefix = 'drift_segment_source_'
const fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const slow = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400]
const sizes = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 4_000]
/** Destinations with their own series: those with the most waiting. Of the others `inspect` and the console tell it. */
const destinationsMax = 200

/** Of the webhooks that were answered 200: the fields of their group's line that are counts. */
const receivedOutcomes = ['stored', 'duplicate', 'ignored']
/**
 * What is counted from the start, at 0: an alarm that asks for an increase does not see the first of a series that
 * begins with it.
 */
const webhookLabels = [
  ...receivedOutcomes.map((outcome) => ({ status: '200', outcome })),
  ...['unauthorised', 'token_wrong'].map((outcome) => ({ status: '401', outcome })),
  { status: '408', outcome: 'strangers_too_many' },
  { status: '413', outcome: 'too_large' },
  { status: '0', outcome: 'cut_off' },
  { status: '503', outcome: 'unavailable' },
]
const endings = ['done', 'later', 'held']
/** The events of error lines: a test compares them with the code. */
export const problemEvents = [
  'alert_failed',
  'alert_look_failed',
  'claim_failed',
  'clock_failed',
  'job_failed',
  'maintenance_failed',
  'page_failed',
  'quarantined',
  'reload_failed',
  'store_stopped',
  'webhook',
  'work_failed',
] as const

export function openMetrics({ storage, installs, clock }: Needs): Metrics {
  const registry = new Registry()
  const common = { registers: [registry] }
  const named = (name: string, help: string) => ({ name: `${prefix}${name}`, help, ...common })
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ ...named(name, help), labelNames })
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ ...named(name, help), labelNames })
  const histogram = (name: string, help: string, buckets: number[]) => new Histogram({ ...named(name, help), buckets })

  const webhooks = counter('webhooks_total', 'Webhooks answered, by status and outcome', ['status', 'outcome'])
  const webhookSeconds = histogram('webhook_seconds', 'How long a webhook took, from its headers to its answer', fast)
  const batches = counter(
    'batches_total',
    'Turns in which the events of one account were sent to one destination, by how they ended',
    ['outcome'],
  )
  const batchEntries = histogram('batch_entries', 'Events that one turn of an account took on', sizes)
  const batchSeconds = histogram(
    'batch_seconds',
    'How long one turn of an account took, from its claim to its end',
    fast,
  )
  const lag = histogram('delivery_lag_seconds', 'From receipt to delivery, of the oldest event of each batch', slow)
  const retries = counter(
    'retries_total',
    'Attempts that will be repeated, by partner (segment: a destination of any kind) and reason',
    ['partner', 'reason'],
  )
  const lookups = counter('lookups_total', 'Rounds of lookups at Drift, by how they ended', ['outcome'])
  const lookupSeconds = histogram('lookup_seconds', 'How long one round of lookups at Drift took', fast)
  const clockSteps = counter('clock_steps_total', 'Steps of the wall clock that were noticed', ['direction'])
  const bridge = counter('bridge_requests_total', "Requests for the browser bridge's script, by build", ['build'])
  const problems = counter('problems_total', 'Error lines of the log, by event', ['event'])

  const events = counter(
    'events_total',
    'Events since the beginning, by what became of them at each destination of their account',
    ['outcome'],
  )
  const ignored = counter('ignored_total', 'Ignored events since the beginning, by reason', ['reason'])
  const waiting = gauge('waiting', 'Events that wait, are dead or are quarantined, by state and reason', [
    'state',
    'reason',
  ])
  const oldest = gauge('oldest_seconds', 'Age of the oldest event that waits, is dead or is quarantined, by state', [
    'state',
  ])
  const ofAccount = gauge(
    'account_waiting',
    `Events waiting, by account and destination (0: for Drift's answer); of the ${destinationsMax} with the most`,
    ['org', 'destination'],
  )
  const accounts = gauge('accounts', 'Accounts, by state', ['state'])
  const destinations = gauge(
    'destinations',
    'Destinations of accounts that are not disconnected, by place: a Segment region or an endpoint',
    ['place'],
  )
  const refused = gauge('destinations_refused', 'Destinations that refuse what is sent, by place and reason', [
    'place',
    'reason',
  ])
  const silent = gauge('accounts_silent', 'Accounts without a webhook for much longer than their usual gap')
  const silence = silenceCount({ ledger: storage.ledger, installs, clock })
  gauge('build_info', 'Always 1; which version this is, under which Node', ['version', 'node']).set(
    { version: context.integration.version, node: process.versions.node },
    1,
  )
  const logBytes = gauge(
    'store_log_bytes',
    'Bytes of the log beside an SQLite store: it grows while something reads an older state',
  )
  const writable = gauge('store_writable', '1 while the store can be written; 0: webhooks are answered 503')
  for (const labels of webhookLabels) webhooks.inc(labels, 0)
  for (const outcome of endings) for (const counted of [batches, lookups]) counted.inc({ outcome }, 0)
  for (const event of problemEvents) problems.inc({ event }, 0)
  for (const build of ['newest', 'current']) bridge.inc({ build }, 0)
  for (const direction of ['back', 'forward']) clockSteps.inc({ direction }, 0)
  collectDefaultMetrics({ register: registry, prefix })

  function count(event: string, fields: Fields): void {
    const seconds = Number(fields.durationMs ?? 0) / 1_000
    const [ending = '', reason = ''] = String(fields.outcome ?? '').split(': ')
    if (event === 'webhook') {
      // Those that were answered 200 are counted with their group.
      if (fields.status === 200) return
      // The reason of a 5xx is in the log: as a label, each would begin a series of its own.
      const unavailable = Number(fields.status) >= 500 ? 'unavailable' : undefined
      const outcome = unavailable ?? String(fields.outcome ?? fields.reason ?? 'refused')
      webhooks.inc({ status: String(fields.status), outcome })
    } else if (event === 'received') {
      for (const outcome of receivedOutcomes)
        if (fields[outcome] !== undefined) webhooks.inc({ status: '200', outcome }, Number(fields[outcome]))
    } else if (event === 'batch') {
      batches.inc({ outcome: ending })
      batchEntries.observe(Number(fields.entries))
      batchSeconds.observe(seconds)
      if (fields.lagMs !== undefined) lag.observe(Number(fields.lagMs) / 1_000)
      if (reason) retries.inc({ partner: 'segment', reason })
    } else if (event === 'lookups') {
      lookups.inc({ outcome: ending })
      lookupSeconds.observe(seconds)
      if (reason) retries.inc({ partner: 'drift', reason })
    } else if (event === 'clock_stepped') {
      clockSteps.inc({ direction: Number(fields.byMs) < 0 ? 'back' : 'forward' })
    }
  }

  async function collect(): Promise<void> {
    const isWritable = await storage.check().then(
      () => 1,
      () => 0,
    )
    writable.set(isWritable)
    for (const metric of [events, ignored, waiting, oldest, ofAccount, accounts, destinations, refused]) metric.reset()
    // A store that does not answer must not silence what the process itself knows, that above all.
    await collectStored().catch(() => {})
  }

  async function collectStored(): Promise<void> {
    logBytes.set(await storage.logBytes())
    const { totals, backlog } = await storage.ledger.snapshotOfAll()
    for (const reason of ignoredReasons) ignored.inc({ reason }, 0)
    for (const { outcome, reason, count: by } of totals) {
      if (outcome !== 'taken') events.inc({ outcome }, by)
      if (reason) ignored.inc({ reason }, by)
    }
    const sinceByState = new Map<string, number>()
    const waitingAt = new Map<string, { org: string; destination: number; by: number }>()
    for (const { org, destination, state, reason = '', count: by, oldestReceivedAt } of backlog) {
      waiting.inc({ state, reason }, by)
      sinceByState.set(state, Math.min(sinceByState.get(state) ?? Number.POSITIVE_INFINITY, oldestReceivedAt))
      const inLine = state === 'waiting' || state === 'asking'
      const at = `${destination} ${org}`
      if (inLine) waitingAt.set(at, { org, destination, by: (waitingAt.get(at)?.by ?? 0) + by })
    }
    const most = [...waitingAt.values()].sort((one, other) => other.by - one.by).slice(0, destinationsMax)
    for (const { org, destination, by } of most) ofAccount.set({ org, destination }, by)
    for (const [state, since] of sinceByState) oldest.set({ state }, Math.max(clock.now() - since, 0) / 1_000)
    for (const install of installs()) {
      accounts.inc({ state: stateShown(install) })
      if (install.state === 'disconnected') continue
      for (const one of destinationsOf(install)) {
        destinations.inc({ place: placeOf(one) })
        if (one.reason !== undefined) refused.inc({ place: placeOf(one), reason: one.reason })
      }
    }
    const silentNow = silence()
    if (silentNow !== undefined) silent.set(silentNow)
  }

  return {
    counting(log) {
      const counted =
        (write: Log['info']): Log['info'] =>
        (event, fields = {}) => {
          count(event, fields)
          write(event, fields)
        }
      return {
        ...log,
        info: counted(log.info),
        warn: counted(log.warn),
        error: counted((event, fields) => {
          problems.inc({ event })
          log.error(event, fields)
        }),
      }
    },
    bridgeAsked: (build) => bridge.inc({ build }),
    webhookTook: (ms) => webhookSeconds.observe(ms / 1_000),
    route: async (_request, response) => {
      await collect()
      const text = await registry.metrics()
      response.writeHead(200, { 'content-type': registry.contentType, 'content-length': Buffer.byteLength(text) })
      response.end(text)
    },
  }
}

/** A region's word, or an endpoint's name, which is none: the settings take no endpoint that is called so. */
function placeOf({ region, endpoint }: Destination): string {
  return endpoint ?? region
}

/** Looking through a week of counts for every account is too much for each scrape, and takes longer than one may. */
const silenceMs = 5 * 60_000

/** The newest count that is there, counted again beside the scrapes; undefined before the first. */
function silenceCount({ ledger, installs, clock }: Pick<Storage, 'ledger'> & Pick<Needs, 'installs' | 'clock'>) {
  let counted: { at: number; count: number } | undefined
  let counting: Promise<void> | undefined
  async function count(at: number): Promise<void> {
    const orgs = installs().flatMap(({ org, state }) => (state === 'disconnected' ? [] : [org]))
    counted = { at, count: await countSilent(ledger, orgs, at) }
  }
  return (): number | undefined => {
    const now = clock.now()
    if (!counted || now - counted.at >= silenceMs || now < counted.at)
      counting ??= count(now)
        .catch(() => {})
        .finally(() => (counting = undefined))
    return counted?.count
  }
}
