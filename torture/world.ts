/**
 * One world of the torture: a store, the service as child processes on it, a Drift and a Segment of our own on the other
 * side of proxies, accounts, load, and the ledger that judges.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../src/config.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { allRefused } from '../src/pipeline/deliver.ts'
import { type Received, type SegmentAction, type Sims, startSims } from '../src/sim/index.ts'
import { seeded } from '../test/clock.ts'
import { runCommand, settingsFor } from '../test/rig.ts'
import type { Order } from './child.ts'
import { bentClock } from './clock.ts'
import { type Engine, engines } from './engines.ts'
import { isAsChosen, isPoison, markOf, secondOptions } from './events.ts'
import { type Audit, Ledger, markAt, type Outcomes } from './ledger.ts'
import { type Load, openLoad } from './load.ts'
import { type ServiceProcess, type StartOptions, startProcess } from './process.ts'
import { type FaultProxy, startProxy } from './proxy.ts'
import { secretsFound } from './secrets.ts'

export interface Account {
  org: string
  writeKey: string
}

/** What the service shows as held: how much of an account, and why. */
export interface Held {
  org: string
  state: string
  reason: string
  count: number
}

export interface World {
  readonly seed: number
  readonly engine: Engine
  readonly folder: string
  readonly env: Env
  readonly log: string
  readonly sims: Sims
  readonly ledger: Ledger
  readonly load: Load
  readonly accounts: Account[]
  /** The account that has two destinations, and the second one's key. */
  second: Account | undefined
  /** Between Drift and the service, between the service and Drift's API, between the service and Segment. */
  readonly proxies: { front: FaultProxy; drift: FaultProxy; segment: FaultProxy }
  fraction(): number
  /** A whole number from `from` to `to`. */
  whole(from: number, to: number): number
  pick<T>(from: readonly T[]): T
  /** The service whose turn it is; the turn goes on with every start. */
  service(): ServiceProcess
  services(): readonly ServiceProcess[]
  /** Starts as many as the engine's replicas lack; gives the last of them. */
  start(options?: Partial<StartOptions>, env?: Env): Promise<ServiceProcess>
  /** How fast the service's hours pass from now on, for processes yet to come too. */
  speed(speed: number): void
  /** So much time has passed for the service, all at once. */
  skip(ms: number): void
  /** Moves the service's wall time. */
  step(ms: number): void
  /** What Segment does instead of its normal answer, which is to take everything but poison. */
  segment(instead: (request: Received) => SegmentAction | undefined): void
  /** Both partners do again what they do when nothing is wrong. */
  normally(): void
  /** Takes what has come to Segment since the last time into the ledger. */
  read(): void
  install(org: string, writeKey: string): Promise<void>
  /** Gives an account that has had no event yet a second destination, which has options of its own. */
  addDestination(org: string, writeKey: string): Promise<void>
  command: (name: string, options?: Parameters<typeof runCommand>[2]) => ReturnType<typeof runCommand>
  outcomes(): Promise<Outcomes & { backlog: Held[] }>
  /** A kill between Drift's answer to a refresh and our commit costs the grant: a person connects the account again. */
  connectAgain(outcomes: { backlog: Held[] }): Promise<void>
  /** How often that was needed. */
  connectedAgain: number
  /** Ends every fault, waits until nothing waits any more, and judges. */
  settle(): Promise<Audit>
  close(): Promise<void>
}

/**
 * When nothing is under way so much time is passed over, so that backoffs and probes come due. Less than a lease: a pause
 * between two looks is not seen from outside, and must not cost it.
 */
const skipMs = 45_000
/** Real time that everything may take to come to rest. */
const settlingMs = 120_000

export async function openWorld(seed: number, engineName: string): Promise<World> {
  const fraction = seeded(seed)
  const whole = (from: number, to: number) => from + Math.floor(fraction() * (to - from + 1))
  const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-torture-'))
  const clock = bentClock()
  const sims = await startSims({ drift: { clock } })
  const engine = await engines[engineName]!(folder)
  const ledger = new Ledger()
  const proxies = {
    front: await startProxy('http://127.0.0.1:9', fraction),
    drift: await startProxy(sims.drift.url, fraction),
    segment: await startProxy(sims.segment.url, fraction),
  }
  const env: Env = {
    ...settingsFor(sims, folder),
    DATABASE_URL: engine.url,
    DRIFT_API_URL: proxies.drift.url,
    SEGMENT_API_URL_US: proxies.segment.url,
    SEGMENT_API_URL_EU: proxies.segment.url,
    LOG_LEVEL: 'debug',
  }
  const log = join(folder, 'service.log')
  const accounts: Account[] = []
  let running: ServiceProcess[] = []
  let turn = 0
  let speed = 1
  const load = openLoad({ ledger, accounts, to: () => proxies.front.url, sims, seed: seed + 1 })
  const tell = (order: Order) => {
    for (const one of running) one.tell(order)
  }
  /** Webhooks go to those that are there, as behind a balancer that notices. */
  const aim = () => {
    const up = running.filter((one) => one.isUp())
    if (up.length > 0) proxies.front.aim(...up.map(({ url }) => url))
  }

  const world: World = {
    seed,
    engine,
    folder,
    env,
    log,
    sims,
    ledger,
    load,
    accounts,
    second: undefined,
    proxies,
    fraction,
    whole,
    pick: (from) => from[whole(0, from.length - 1)]!,
    service: () => running[turn % running.length]!,
    services: () => running,
    async start(options = {}, more = {}) {
      const aheadMs = Math.round(clock.now() - Date.now())
      running = running.filter((one) => one.isUp())
      const missing = engine.replicas - running.length
      const startOne = () => startProcess({ ...env, ...more }, { log, aheadMs, speed, ...options })
      running.push(...(await Promise.all(Array.from({ length: missing }, startOne))))
      turn++
      aim()
      for (const one of running) void one.ended.then(aim)
      return running.at(-1)!
    },
    speed(faster) {
      speed = faster
      clock.setSpeed(speed)
      tell({ speed })
    },
    skip(ms) {
      clock.skip(ms)
      tell({ skipMs: ms })
    },
    step(ms) {
      clock.step(ms)
      tell({ stepMs: ms })
    },
    segment(instead) {
      const refuseIf = (message: JsonObject) => isPoison(message)
      sims.segment.script((request) => ({ refuseIf, ...instead(request) }))
    },
    normally() {
      world.segment(() => undefined)
      for (const path of ['/conversations/*', '/oauth2/token']) sims.drift.script(path, undefined)
    },
    read: reader(sims, ledger, () => world.second?.writeKey),
    command: (name, options) => runCommand(env, name, options),
    async install(org, writeKey) {
      ledger.keyOf(org, writeKey)
      const secrets = { ...sims.drift.issueToken(Number(org)), writeKey }
      const { exitCode, output } = await runCommand(env, 'installs add', {
        stdin: JSON.stringify(secrets),
        given: { org },
      })
      if (exitCode !== 0) throw new Error(output)
      if (!accounts.some((account) => account.org === org)) accounts.push({ org, writeKey })
    },
    async addDestination(org, writeKey) {
      ledger.goesTwice(org, writeKey)
      world.second = { org, writeKey }
      const stdin = JSON.stringify({ writeKey })
      await runCommand(env, 'destinations add', { stdin, given: { org, name: 'Second' } })
      await runCommand(env, 'options', {
        given: { org, destination: 'Second', set: JSON.stringify(secondOptions) },
      })
    },
    async outcomes() {
      const { output } = await runCommand(env, 'check', { given: { json: true } })
      return JSON.parse(output) as Outcomes & { backlog: Held[] }
    },
    connectedAgain: 0,
    async connectAgain({ backlog }) {
      for (const { org, reason } of backlog) {
        const account = reason === 'grant_dead' && accounts.find((one) => one.org === org)
        if (!account) continue
        world.connectedAgain++
        await world.install(org, account.writeKey)
      }
    },
    settle: () => settle(world),
    async close() {
      load.stop()
      await Promise.all(running.map((one) => one.isUp() && one.kill()))
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
      await sims.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  world.normally()
  return world
}

async function settle(world: World): Promise<Audit> {
  const { load, proxies, ledger, engine } = world
  await load.finish()
  world.normally()
  for (const proxy of Object.values(proxies)) await proxy.heal()
  for (const one of world.services()) one.signal('SIGCONT')
  await engine.server?.start()
  await world.start()
  world.speed(1)
  await load.repost()
  const giveUpAt = performance.now() + settlingMs
  let outcomes = await world.outcomes()
  const isAtRest = () => {
    world.read()
    return outcomes.waiting === 0 && ledger.missing().length === 0 && outcomes.held <= ledger.deadOrQuarantined()
  }
  const { segment, drift } = world.sims
  const cameAgain = new Set<string>()
  for (let seen = 0; !isAtRest() && performance.now() < giveUpAt; ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const before = seen
    seen = segment.requests.length + drift.requests.length
    if (seen === before) world.skip(skipMs)
    outcomes = await world.outcomes()
    await world.connectAgain(outcomes)
    // Where all that is left of an account was refused, only an event that Segment takes tells that the account is well.
    const refused = outcomes.backlog.find(({ org, reason }) => reason === allRefused && !cameAgain.has(org))
    if (refused && cameAgain.add(refused.org)) await load.say('begun', refused.org)
  }
  const audit = ledger.audit(outcomes)
  if (audit.broken.length > 0) audit.broken.push(`held: ${JSON.stringify(outcomes.backlog)}`)
  if (outcomes.waiting > 0) audit.broken.push(`${outcomes.waiting} still wait after ${settlingMs / 1_000} s`)
  audit.broken.push(...secretsFound(world))
  return audit
}

/** Takes what has come to Segment since the last time into the ledger. */
function reader({ segment }: Sims, ledger: Ledger, secondKey: () => string | undefined): () => void {
  let requestsRead = 0
  let acceptedRead = 0
  const markIn = (message: JsonObject) => markOf(message) ?? `unknown ${JSON.stringify(message).slice(0, 200)}`
  return () => {
    for (const { path, body } of segment.requests.slice(requestsRead)) {
      requestsRead++
      if (path !== '/v1/batch') continue
      const { writeKey, batch } = JSON.parse(body) as { writeKey: string; batch: JsonObject[] }
      for (const message of batch) {
        const messageId = String(message.messageId)
        const mark = markAt(markIn(message), messageId)
        ledger.transmissions.push({ mark, writeKey, messageId, text: JSON.stringify(message) })
        if (writeKey === secondKey() && !isAsChosen(message)) ledger.unchosen.push(mark)
      }
    }
    for (const { message } of segment.accepted.slice(acceptedRead))
      ledger.arrivals.push(markAt(markIn(message), String(message.messageId)))
    acceptedRead = segment.accepted.length
  }
}
