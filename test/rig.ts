/**
 * What the whole-system tests stand on: the real service on a file of its own, between the two simulators, over real
 * HTTP. The only double is the clock, and only where a test turns it.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context, speaker } from '../src/cli/command.ts'
import { commands } from '../src/cli/index.ts'
import { type Env, readConfig } from '../src/config.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import { type Log, silentLog } from '../src/lib/log.ts'
import { addsUp, type Outcomes, outcomesOf } from '../src/operations/totals.ts'
import { openService, openStore, type Service } from '../src/service.ts'
import { type Sims, startSims } from '../src/sim/index.ts'
import { compactStore, moveStore } from '../src/storage/open.ts'
import { patienceMs, withRestsEnding } from './clock.ts'
import { freePort } from './free-port.ts'
import './over.ts'
import { sealingKey } from './settings.ts'

export const org = 5_000_883
export const writeKey = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'

export interface Rig {
  sims: Sims
  service: Service
  env: Env
  folder: string
  /** Drift's request URL. */
  to: string
  /** Closes the service and opens it again on the same file. */
  restart(): Promise<void>
  /** What the command line prints, run beside the service. */
  command(name: string, options?: RunOptions): Promise<{ exitCode: number; output: string; printed: string }>
  outcomes(): Promise<Outcomes>
  close(): Promise<void>
}

export interface RunOptions {
  stdin?: string
  given?: Record<string, string | boolean>
  args?: string[]
  /** Resolves when the command must stop; never, when absent. */
  stopped?: Promise<void>
  /** By which the command goes, if not by the system's. */
  clock?: Clock
  /** Alerts may go to receivers on this machine. */
  unsafeAllowLoopback?: boolean
  /** Called with each line as it is printed. */
  said?: (line: string) => void
}

export interface RigOptions {
  /** False: no account is installed. */
  installed?: boolean
  env?: Env
  clock?: Clock
  log?: Log
  /** Alerts may go to receivers on this machine. */
  unsafeAllowLoopback?: boolean
}

export async function startRig({
  installed = true,
  env: more = {},
  clock = systemClock,
  log = silentLog,
  unsafeAllowLoopback = false,
}: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-test-'))
  // A port that no outgoing connection can take while a test has Segment down.
  const sims = await startSims({ drift: { clock }, segment: { port: await freePort() } })
  const env = { ...settingsFor(sims, folder), ...more }
  const ofService = clock === systemClock ? clock : withRestsEnding(clock)
  const open = () => openService(readConfig(env), { clock: ofService, log, unsafeAllowLoopback })
  const service = await open().catch(async (error: unknown) => {
    await sims.close()
    throw error
  })
  const rig: Rig = {
    sims,
    service,
    env,
    folder,
    to: '',
    async restart() {
      await rig.service.close()
      rig.service = await open()
      rig.to = `${rig.service.url}/webhooks/drift`
    },
    command: (name, options = {}) => runCommand(env, name, { unsafeAllowLoopback, ...options }),
    async outcomes() {
      const { totals, backlog } = await rig.service.store.storage.ledger.snapshotOfAll()
      return outcomesOf(totals, backlog)
    },
    async close() {
      await rig.service.close()
      await sims.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  rig.to = `${rig.service.url}/webhooks/drift`
  if (installed) await install(rig)
  return rig
}

/** Installs an account beside the running service, which notices within a second; until then its events are held. */
export async function install(rig: Rig, orgId: number = org, secrets: object = { writeKey }): Promise<void> {
  rig.sims.drift.addOrg({ orgId })
  const stdin = JSON.stringify({ ...rig.sims.drift.issueToken(orgId), ...secrets })
  const { exitCode, output } = await rig.command('installs add', { stdin, given: { org: String(orgId) } })
  if (exitCode !== 0) throw new Error(output)
  // The same service may be asked at once whether it knows the account.
  await rig.service.store.accounts.reload(Date.now())
}

export function settingsFor({ drift, segment }: Sims, folder: string): Env {
  const { clientId, clientSecret, verificationToken } = drift.settings
  return {
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
    ENCRYPTION_KEYS: sealingKey,
    DRIFT_VERIFICATION_TOKENS: verificationToken,
    DRIFT_CLIENT_ID: clientId,
    DRIFT_CLIENT_SECRET: clientSecret,
    DRIFT_API_URL: drift.url,
    DRIFT_AUTHORIZE_URL: drift.authorizeUrl,
    DRIFT_SETTINGS_URL: `${drift.url}/settings/apps`,
    SEGMENT_API_URL_US: segment.url,
    SEGMENT_API_URL_EU: segment.url,
    SEGMENT_CDN_URL: segment.url,
  }
}

/** Closes it after a test, in which all that it has received must add up. Segment goes first, so that nothing hangs on its answer. */
export async function closeCounted(rig: Rig): Promise<void> {
  try {
    assert.ok(addsUp(await rig.outcomes()))
  } finally {
    await rig.sims.segment.close()
    await rig.close()
  }
}

/** Resolves once the law holds and nothing waits any more; rejects with the outcomes when that does not come to pass. */
export async function settled(
  rig: Rig,
  wanted: (outcomes: Outcomes) => boolean = ({ waiting }) => waiting === 0,
): Promise<Outcomes> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const outcomes = await rig.outcomes()
    if (addsUp(outcomes) && wanted(outcomes)) return outcomes
    if (performance.now() > deadline) throw new Error(`not settled: ${JSON.stringify(outcomes)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What the command line does and prints, in this process; `printed`: to standard output alone, as a script reads it. */
export async function runCommand(env: Env, name: string, options: RunOptions = {}) {
  const path = name.split(' ')
  let command = commands.find((one) => one.name === path[0])
  for (const part of path.slice(1)) command = command?.commands?.find((one) => one.name === part)
  if (!command?.run) throw new Error(`no command "${name}"`)
  const lines: string[] = []
  const printed: string[] = []
  const say = speaker((text) => {
    lines.push(text)
    options.said?.(text)
  })
  const context: Context = {
    env: () => env,
    print(text) {
      printed.push(text)
      say(text)
    },
    remark: say,
    readInput: async () => options.stdin ?? '',
    openStore: (config, mode) => openStore(config, mode, options.clock && { clock: options.clock }),
    openService,
    compactStore,
    moveStore,
    ...(options.unsafeAllowLoopback ? { unsafeAllowLoopback: true } : {}),
    untilStopped: () => options.stopped ?? new Promise(() => {}),
  }
  const defaults = (command.options ?? []).flatMap(({ flags, default: value }) =>
    value === undefined ? [] : [[/--(\w+)/.exec(flags)![1], value]],
  )
  const given = { ...Object.fromEntries(defaults), ...options.given }
  const exitCode = (await command.run(context, given, options.args ?? [])) ?? 0
  return { exitCode, output: lines.join('\n'), printed: printed.join('\n') }
}
