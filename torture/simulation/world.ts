/** One seed: some processes on one store, load, one fault after another, then rest, and the judgement. */
import { createSecretKey } from 'node:crypto'
import { type Accounts, openAccounts } from '../../src/accounts/accounts.ts'
import { addDestination } from '../../src/accounts/destination-actions.ts'
import { changeDestination, destinationsOf } from '../../src/accounts/destinations.ts'
import { grantFields } from '../../src/accounts/grant.ts'
import { openKeyring } from '../../src/accounts/keyring.ts'
import { sealWriteKey } from '../../src/accounts/write-key.ts'
import { catalogue } from '../../src/events/index.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Random } from '../../src/lib/random.ts'
import { startOperations } from '../../src/operations/run.ts'
import { addsUp, outcomesOf } from '../../src/operations/totals.ts'
import { allRefused } from '../../src/pipeline/deliver.ts'
import { openPipeline } from '../../src/pipeline/open.ts'
import type { Receive } from '../../src/pipeline/receive.ts'
import { type DriftState, grantTo, listSettings, orgOf, remember } from '../../src/sim/drift-state.ts'
import { manualClock, seeded } from '../../test/clock.ts'
import { type Kind, kinds, respelled, type Webhook } from '../events.ts'
import { type Audit, Ledger } from '../ledger.ts'
import { addresses, type Mood, openPartners } from './partners.ts'
import { openDisk } from './store.ts'
import { type SimulatedProcess, startProcess } from './time.ts'

const verificationToken = 'simulated-verification-token'
const settings = { clientId: 'simulated-client', clientSecret: 'simulated-secret', verificationToken }
const secret = createSecretKey(Buffer.alloc(32, 7))
const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 24 * 3_600_000]
/** For how long there are load and faults, and how long everything may take to come to rest. */
const faultsMs = 20 * minute
const restMs = 4 * hour
/** The account that has two destinations, and the key of the second. */
const [twice, secondKey] = ['103', 'SimulatedSecondKey103']
const bag: readonly Kind[] = [
  ...Array<Kind>(8).fill('begun'),
  ...Array<Kind>(6).fill('updated'),
  ...Array<Kind>(4).fill('asked'),
  ...(['clicked', 'clicked', 'met', 'poisoned', 'oversized', 'shapeless', 'foreign'] as const),
]

export interface Simulated extends Audit {
  seed: number
  /** How often each kind of fault was made. */
  faults: Record<string, number>
}

interface Service {
  process: SimulatedProcess
  receive: Receive
  accounts: Accounts
}

export async function simulate(seed: number): Promise<Simulated> {
  const fraction = seeded(seed)
  const below = (count: number) => Math.floor(fraction() * count)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const random: Random = { fraction, bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))) }
  const world = manualClock()
  const disk = openDisk(world, fraction)
  const ledger = new Ledger()
  const drift: DriftState = {
    clock: world,
    random,
    settings: {
      ...settings,
      redirectUri: undefined,
      scopes: ['contact_read', 'conversation_read'],
      expiresIn: 7_200,
      omitExpiresIn: false,
      omitOrgId: false,
      notFoundShape: 'errors',
      lists: listSettings(),
    },
    orgs: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    codes: new Map(),
    taken: new Map(),
  }
  const partners = openPartners(world, drift, ledger, fraction)
  const faults: Record<string, number> = {}
  const keys = new Map(['101', '102', '103'].map((org) => [org, `SimulatedKey${org}`]))
  let services: Service[] = []
  let lastName = 0
  let lastNumber = 0
  let isResting = false
  const unanswered = new Map<string, Webhook>()
  const remembered: Webhook[] = []

  /** How far a clock may be wrong: mostly by up to an hour, at times by days. */
  function wrongMs(): number {
    return (fraction() - 0.5) * 2 * (fraction() < 0.7 ? hour : 3 * day)
  }

  async function boot(): Promise<void> {
    const process = startProcess(++lastName, world)
    if (!isResting && fraction() < 0.2) process.skewMs = wrongMs()
    const { clock } = process
    const storage = disk.openFor(process)
    const keyring = await openKeyring(storage.vault, [{ id: 'a', secret }], random)
    const accounts = await openAccounts(storage.installs, storage.inbox)
    await accounts.reload(clock.now())
    for (const [org, key] of keys) {
      const known = accounts.get(org)
      const isWhole = known && (org !== twice || destinationsOf(known).length === 2)
      if (!isWhole) await connect(org, key)
    }
    const pipeline = await openPipeline({
      storage,
      keyring,
      accounts,
      catalogue,
      send: partners.sendFor(process),
      drift: { apiUrl: addresses.drift, app: settings, verificationTokens: [verificationToken] },
      segment: { us: addresses.segment, eu: addresses.segment },
      // So that a dozen events already are several requests at once.
      messagesMax: 8,
      clock,
      random,
      log: silentLog,
    })
    const { grants, wake } = pipeline
    const asking = { send: partners.sendFor(process), driftUrl: addresses.drift, random }
    const operating = { storage, keyring, accounts, catalogue, grants, retentionDays: 7, clock, log: silentLog, wake }
    await startOperations({ ...operating, ...asking })
    pipeline.start()
    services.push({ process, receive: pipeline.receive, accounts })

    async function connect(org: string, key: string): Promise<void> {
      ledger.keyOf(org, key)
      const { accessToken, refreshToken } = grantTo(drift, Number(org), drift.settings.scopes, 7_200)
      const grant = { accessToken, refreshToken: refreshToken!, expiresAt: clock.now() + 2 * hour }
      const fields = await grantFields(keyring, org, grant, clock.now())
      const sealed = await sealWriteKey(keyring, org, 1, key)
      await accounts.change(org, clock.now(), ({ reason: _, ...install }) =>
        changeDestination({ ...install, ...fields, state: 'live' as const }, 1, { key: sealed, reason: undefined }),
      )
      if (org !== twice) return
      ledger.goesTwice(org, secondKey)
      const given = { name: 'Second', place: { region: 'us' }, writeKey: secondKey, who: 'the simulation' } as const
      await addDestination({ accounts, keyring, clock }, org, given)
    }
  }

  /** A start that meets a failing store is tried again, as whatever runs the service would. */
  function start(afterMs: number): void {
    world.after(afterMs, () => void boot().catch(() => start(5 * second)))
  }

  function end(service: Service): void {
    service.process.isDead = true
    disk.crash(service.process)
    services = services.filter((one) => one !== service)
    start(200 + fraction() * 30 * second)
  }

  async function post(webhook: Webhook, body: JsonObject = webhook.body): Promise<void> {
    const answered = ledger.post(webhook)
    if (webhook.mayRepeat && !ledger.isKept(webhook.mark)) unanswered.set(webhook.mark, webhook)
    const service = services.length > 0 ? pick(services) : undefined
    if (!service) return
    const bytes = Buffer.from(JSON.stringify({ ...body, token: verificationToken }))
    const { receive, process } = service
    const outcome = await process.hear(fraction() * 30, () =>
      receive(bytes, { verdict: 'right' }).catch(() => undefined),
    )
    if (!outcome || process.isDead) return
    answered(outcome.outcome !== 'unauthorised')
    unanswered.delete(webhook.mark)
  }

  function say(): void {
    const old = fraction() < 0.1 ? remembered[below(remembered.length)] : undefined
    if (old) return void post(old, fraction() < 0.5 ? old.body : respelled(old.body))
    const made: Webhook = kinds[pick(bag)](pick([...keys.keys()]), below(3), ++lastNumber)
    if (made.conversation) remember(orgOf(drift, Number(made.org)).conversations, made.conversation)
    if (made.mayRepeat) remembered.push(made)
    void post(made)
  }

  const moods: readonly Mood[] = ['flaky', 'flaky', 'down', 'refusing', 'unreachable']
  const making: Record<string, () => void> = {
    'kill -9': () => services.length > 0 && end(pick(services)),
    'power loss': () => services.slice().forEach(end),
    'stands still': () => {
      const one = services.length > 0 ? pick(services).process : undefined
      one?.pause()
      world.after(fraction() * 150 * second, () => one?.goOn())
    },
    'clock steps': () => {
      for (const { process } of services) process.skewMs = wrongMs()
    },
    "Segment's mood": () => change('segment'),
    "Drift's mood": () => change('drift'),
    'writes fail': () => {
      disk.failing(fraction() * 0.2)
      world.after(fraction() * 20 * second, () => disk.failing(0))
    },
    'store is gone': () => {
      disk.gone(true)
      world.after(fraction() * 60 * second, () => disk.gone(false))
    },
    'tokens die': () => drift.accessTokens.clear(),
    'a process more': () => services.length < 3 && start(0),
  }
  function change(partner: 'drift' | 'segment'): void {
    partners.mood(partner, pick(moods))
    world.after(fraction() * 8 * minute, () => partners.mood(partner, 'well'))
  }

  start(0)
  if (fraction() < 0.6) start(fraction() * second)
  const startedAt = world.now()
  const plan = (everyMs: number, what: () => void) => {
    const next = () => {
      if (isResting) return
      what()
      world.after(fraction() * 2 * everyMs, next)
    }
    world.after(fraction() * everyMs, next)
  }
  plan(6 * second, say)
  plan(minute, () => {
    const burst = below(12)
    for (let n = 0; n < burst; n++) say()
  })
  plan(50 * second, () => {
    const name = pick(Object.keys(making))
    faults[name] = (faults[name] ?? 0) + 1
    making[name]!()
  })

  const pass = async () => {
    await new Promise(setImmediate)
    world.advance(world.untilNext() ?? second)
  }
  while (world.now() - startedAt < faultsMs) await pass()

  isResting = true
  disk.failing(0)
  disk.gone(false)
  for (const partner of ['drift', 'segment'] as const) partners.mood(partner, 'well')
  for (const { process } of services) {
    process.goOn()
    process.skewMs = 0
  }
  if (services.length === 0) start(0)
  const outcomes = async () => outcomesOf(await disk.storage.ledger.totals(), await disk.storage.ledger.backlog())
  const givesUpAt = world.now() + restMs
  let lookAt = 0
  for (;;) {
    await pass()
    if (world.now() < lookAt) continue
    lookAt = world.now() + minute
    for (const webhook of [...unanswered.values()]) void post(webhook)
    await connectAgain()
    await comeAgain()
    const { waiting, held } = await outcomes()
    const isAtRest =
      unanswered.size === 0 && waiting === 0 && held <= ledger.deadOrQuarantined() && ledger.missing().length === 0
    if (isAtRest || world.now() > givesUpAt) break
  }
  const last = await outcomes()
  const audit = ledger.audit(last)
  if (!addsUp(last)) audit.broken.push('the outcomes do not add up')
  if (last.waiting > 0 || unanswered.size > 0)
    audit.broken.push(`after ${restMs / hour} hours ${last.waiting} wait and ${unanswered.size} are not taken`)
  if (audit.broken.length > 0) audit.broken.push(`held: ${JSON.stringify(await disk.storage.ledger.backlog())}`)
  for (const { process } of services) process.isDead = true
  return { ...audit, seed, faults }

  /** Where all that is left of an account was refused, only an event that Segment takes tells that the account is well. */
  async function comeAgain(): Promise<void> {
    for (const { org, reason } of await disk.storage.ledger.backlog())
      if (reason === allRefused) void post(kinds.begun(org, 0, ++lastNumber))
  }

  /** A person mends what only a person can: a grant whose new pair was lost with a process or an answer. */
  async function connectAgain(): Promise<void> {
    const [service] = services
    if (!service) return
    for (const install of await disk.storage.installs.list()) {
      if (install.reason !== 'grant_dead') continue
      const process = service.process
      const storage = disk.openFor(process)
      const keyring = await openKeyring(disk.storage.vault, [{ id: 'a', secret }], random)
      const { accessToken, refreshToken } = grantTo(drift, Number(install.org), drift.settings.scopes, 7_200)
      const grant = { accessToken, refreshToken: refreshToken!, expiresAt: Math.floor(world.now()) + 2 * hour }
      const fields = await grantFields(keyring, install.org, grant, Math.floor(world.now()))
      const accounts = await openAccounts(storage.installs, disk.storage.inbox)
      void accounts.change(install.org, Math.floor(world.now()), ({ reason: _, ...stored }) => ({
        ...stored,
        ...fields,
        state: 'live',
      }))
    }
  }
}
