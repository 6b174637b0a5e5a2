/**
 * A small store with something of everything, made by the real service, and what must become of it wherever it is opened
 * later: by a newer version, above all.
 */
import assert from 'node:assert/strict'
import { type Env, readConfig } from '../../src/config.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { silentLog } from '../../src/lib/log.ts'
import { startRedrive } from '../../src/operations/redrive-job.ts'
import type { Outcomes } from '../../src/operations/totals.ts'
import { openService, openStore } from '../../src/service.ts'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { pastOf } from '../../src/sim/past.ts'
import type { ShownState } from '../../src/storage/ports/lookup.ts'
import { eventually } from '../clock.ts'
import { freePort } from '../free-port.ts'
import { org, type RunOptions, runCommand, settingsFor, settled, startRig, writeKey } from '../rig.ts'

/** `twice` has two destinations and gets alerts; `past` has brought in history, and a job of it waits. */
const accounts = {
  live: org,
  paused: org + 1,
  keyless: org + 2,
  refused: org + 3,
  later: org + 4,
  twice: org + 5,
  past: org + 6,
}
const refusedKey = 'ReFuSeDkEyReFuSeDkEyReFuSeDkEy01'
const secondKey = 'SeCoNdKeY0SeCoNdKeY0SeCoNdKeY001'
const job = 'sample0redrive'
const conversations = 3

/** Later versions may count more. */
const numbers = [
  ...['received', 'backfilled', 'delivered', 'waiting', 'held', 'dead', 'ignored', 'expired', 'duplicates'],
] as (keyof Outcomes)[]

export interface Sample {
  /** When it was made. Clocks of those who open it go on from there, so that nothing in it is old. */
  at: number
  /** What `check` says. */
  outcomes: Outcomes
  /** Of each event at each destination, by the messageId that it has there. */
  states: Record<string, ShownState>
  /** What the command line says beside that, by what was asked: destinations, options, recipients, jobs. */
  says: Record<string, unknown>
  /** The delivered event that the waiting job is to send again. */
  resent: string
  /** What Drift must know to be the one that it was made beside: access tokens and conversations, by account. */
  tokens: Record<string, string>
  conversations: Record<string, JsonObject[]>
}

/** Fills the store at this DATABASE_URL, where nothing is yet; no process has it open afterwards. */
export async function makeSample(url: string, clock: Clock = systemClock): Promise<Sample> {
  const rig = await startRig({ installed: false, env: { DATABASE_URL: url }, clock })
  try {
    const { drift, segment } = rig.sims
    const command = async (name: string, options: RunOptions) => {
      const { exitCode, output } = await rig.command(name, { ...options, clock })
      assert.equal(exitCode, 0, output)
      // The service may be asked at once what it knows of accounts.
      await rig.service.store.accounts.reload(clock.now())
    }
    const { live, paused, keyless, refused, later, twice, past } = accounts
    const tokens = Object.fromEntries(Object.values(accounts).map((id) => [id, drift.privateToken(id)]))
    const keys = { [keyless]: {}, [refused]: { writeKey: refusedKey } }
    for (const id of [live, paused, keyless, refused, twice, past]) {
      const key = keys[id] ?? { writeKey }
      await command('installs add', {
        given: { org: String(id) },
        stdin: JSON.stringify({ accessToken: tokens[id], ...key }),
      })
    }
    let vary = 0
    const send = (event: string | JsonObject, orgId: number, varied = ++vary) =>
      drift.send(event, { to: rig.to, orgId, vary: varied })

    drift.addOrg({ orgId: past, ...pastOf(clock.now(), conversations) })
    await command('backfill', { given: { org: String(past) } })
    const second = { org: String(twice), destination: '2' }
    await command('destinations add', {
      given: { org: String(twice), name: 'Staging', region: 'us' },
      stdin: JSON.stringify({ writeKey: secondKey }),
    })
    await command('options', { given: { ...second, set: '{"safeNames":true,"drop":["status"]}' } })
    await command('alerts add', {
      given: { org: String(twice), channel: 'webhook' },
      stdin: 'https://hooks.example.com/of-the-sample',
    })
    await send('new_conversation', twice)
    await drift.sendAll({ to: rig.to, orgId: live })
    await send('new_meeting', live, 0)
    await send({ type: 'of_no_page', orgId: live, data: {} }, live)
    for (const type of ['new_meeting', 'gdpr_delete_requested']) await send({ type, orgId: live, data: [] }, live)
    await settled(rig)
    segment.script({ status: 400 })
    await send('meeting_updated', live)
    await settled(rig, ({ dead }) => dead === 1)
    segment.script(undefined)
    segment.forKey(refusedKey, { status: 401 })
    segment.forKey(secondKey, { status: 503 })
    await send('new_conversation', refused)
    const { delivered } = await rig.outcomes()
    await send('new_conversation', twice)
    await eventually(() => segment.requests.some(({ status }) => status === 401))
    await settled(rig, (outcomes) => outcomes.delivered === delivered + 1)
    await command('installs pause', { given: { org: String(paused) } })
    for (const id of [paused, paused, keyless, later]) await send('new_conversation', id)
    segment.script({ status: 503 })
    drift.script('/conversations/*', { status: 503 })
    for (const type of ['new_conversation', 'conversation_participant_added']) await send(type, live)
    await command('sign-in', { given: { org: String(live), url: rig.service.url } })
    await rig.service.close()

    const resent = Object.keys((await contentOf(rig.env)).states).find((id) => id.startsWith('drift-h-'))!
    const store = await openStore(readConfig(rig.env), 'beside', { clock })
    const query = { org: String(past), message: resent, states: ['delivered'] as const, to: clock.now() + 1 }
    const about = { id: job, org: String(past), who: 'an operator', query, mapping: 'today' } as const
    assert.ok(await startRedrive({ ...store.storage, clock }, about).finally(() => store.close()))
    return {
      at: clock.now(),
      ...(await contentOf(rig.env)),
      resent,
      tokens,
      conversations: Object.fromEntries(
        [...drift.orgs].map(([id, { conversations }]) => [id, [...conversations.values()]]),
      ),
    }
  } finally {
    await rig.close()
  }
}

type Content = Pick<Sample, 'outcomes' | 'states' | 'says'>

/** A program that opens such a store: its commands, and its service, which rejects where it does not start. */
export interface Program {
  run(env: Env, name: string, options?: RunOptions): Promise<{ exitCode: number; output: string }>
  open(env: Env, clock: Clock): Promise<{ close(): Promise<unknown> }>
}

const thisProgram: Program = {
  run: runCommand,
  open: (env, clock) => openService(readConfig(env), { clock, log: silentLog }),
}

/** What the command line says of a store. */
async function contentOf(env: Env, program = thisProgram): Promise<Content> {
  const json = async <T>(name: string, given: Record<string, string | boolean> = { json: true }) => {
    const { output } = await program.run(env, name, { given })
    return JSON.parse(output) as T
  }
  const checked = await json<Outcomes>('check')
  interface At {
    sentAs: string
    state: ShownState
  }
  const { entries } = await json<{ entries: (At & { elsewhere?: At[] })[] }>('inspect', { json: true, limit: '200' })
  const everywhere = entries.flatMap((entry) => [entry, ...(entry.elsewhere ?? [])])
  const whose = { org: String(accounts.twice) }
  const named = async (name: string, names: readonly string[], given?: Record<string, string | boolean>) =>
    (await json<JsonObject[]>(name, given)).map((one) => names.map((each) => one[each]))
  return {
    outcomes: Object.fromEntries(numbers.map((name) => [name, checked[name]])) as unknown as Outcomes,
    states: Object.fromEntries(everywhere.map(({ sentAs, state }) => [sentAs, state])),
    says: {
      destinations: await named('destinations list', ['number', 'name', 'state', 'writeKey'], { ...whose, json: true }),
      options: await json('options', { ...whose, destination: '2' }),
      recipients: await named('alerts list', ['channel', 'address', 'isConfirmed'], { ...whose, json: true }),
      jobs: await named('jobs list', ['id', 'kind', 'org', 'state']),
    },
  }
}

/** What a store of this sample is opened with: partners that know it, and a clock that goes on from when it was made. */
export async function partnersOf({ at, tokens, conversations }: Sample): Promise<{ sims: Sims; clock: Clock }> {
  const behindMs = Date.now() - at
  const clock: Clock = { ...systemClock, now: () => systemClock.now() - behindMs }
  const sims = await startSims({ drift: { clock }, segment: { port: await freePort() } })
  const { drift } = sims
  for (const [id, accessToken] of Object.entries(tokens)) {
    const orgId = Number(id)
    drift.addOrg({ orgId, conversations: conversations[id] ?? [] })
    const grant = { id: accessToken, orgId, accessToken, scopes: drift.settings.scopes, createdAt: at, expiresIn: 0 }
    drift.accessTokens.set(accessToken, grant)
  }
  return { sims, clock }
}

/**
 * Opens the store and lets everything in it come to its end; rejects where an event is lost, goes twice or under another
 * messageId, or a number is not what it must be. `seen`: called at the end, when no service of the program runs.
 */
export async function playOut(
  url: string,
  sample: Sample,
  program = thisProgram,
  seen: (env: Env) => Promise<void> = async () => {},
): Promise<void> {
  const { sims, clock } = await partnersOf(sample)
  const env = { ...settingsFor(sims, ''), DATABASE_URL: url }
  try {
    const { outcomes, states, says, resent } = sample
    // The first of this version to open it is a command.
    assert.deepEqual(await contentOf(env, program), { outcomes, states, says })
    const service = await program.open(env, clock)
    try {
      await endHolds(env, program, { sample, clock })
      const waited = idsIn(sample, 'waiting', 'asking', 'unclaimed', 'dead')
      const wanted = [...waited, resent].sort()
      const arrived = () => sims.segment.accepted.map(({ message }) => String(message.messageId)).sort()
      await eventually(() => arrived().length >= wanted.length, arrived)
      assert.deepEqual(arrived(), wanted)
      assert.equal(sims.segment.duplicates.length, 0)
      const atSecond = sims.segment.accepted.filter(({ writeKey: key }) => key === secondKey)
      const fields = atSecond.map(({ message }) => Object.keys(message.properties as JsonObject))
      assert.ok(fields.length === 1 && fields[0]!.includes('conversationId') && !fields[0]!.includes('status'))
      const delivered = outcomes.delivered + waited.length
      const held = idsIn(sample, 'quarantined').length
      const ended = { ...outcomes, delivered, waiting: 0, held, dead: 0 }
      await eventually(async () => (await contentOf(env, program)).outcomes.delivered === delivered)
      // History that was brought in is known.
      const again = await program.run(env, 'backfill', { given: { org: String(accounts.past), json: true }, clock })
      const { counts } = JSON.parse(again.output) as { counts: Record<string, number> }
      assert.deepEqual([counts.sent, counts.known], [0, conversations])
      assert.deepEqual((await contentOf(env, program)).outcomes, ended)
    } finally {
      await service.close()
    }
    await seen(env)
  } finally {
    await sims.close()
  }
}

/** Accounts are resumed, get what they lack, or are installed; the waiting job ends; what died is sent again. */
async function endHolds(
  env: Env,
  program: Program,
  { sample: { tokens }, clock }: { sample: Sample; clock: Clock },
): Promise<void> {
  const { paused, keyless, refused, later } = accounts
  const command = async (name: string, options: RunOptions) => {
    const { exitCode, output } = await program.run(env, name, { ...options, clock })
    assert.equal(exitCode, 0, output)
    return output
  }
  for (const id of [paused, refused]) await command('installs resume', { given: { org: String(id) } })
  for (const [id, secrets] of [
    [keyless, { writeKey }],
    [later, { writeKey, accessToken: tokens[later] }],
  ] as const)
    await command('installs add', { given: { org: String(id) }, stdin: JSON.stringify(secrets) })
  const stateOf = async () =>
    (JSON.parse(await command('jobs show', { args: [job], given: { json: true } })) as { state: string }).state
  await eventually(async () => (await stateOf()) === 'done')
  await command('redrive', { given: { state: 'dead' } })
}

function idsIn({ states }: Sample, ...wanted: ShownState[]): string[] {
  return Object.keys(states)
    .filter((id) => wanted.includes(states[id]!))
    .sort()
}
