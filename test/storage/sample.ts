/**
 * A small store with something of everything, made by the real service, and what must become of it wherever it is opened
 * later: by a newer version, above all.
 */
import assert from 'node:assert/strict'
import { type Env, readConfig } from '../../src/config.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Sums } from '../../src/operations/totals.ts'
import { openService, type Service } from '../../src/service.ts'
import { type Sims, startSims } from '../../src/sim/index.ts'
import type { ShownState } from '../../src/storage/ports/lookup.ts'
import { eventually } from '../clock.ts'
import { freePort } from '../free-port.ts'
import { org, type RunOptions, runCommand, settingsFor, settled, startRig, writeKey } from '../rig.ts'

const accounts = { live: org, paused: org + 1, keyless: org + 2, refused: org + 3, later: org + 4 }
const refusedKey = 'ReFuSeDkEyReFuSeDkEyReFuSeDkEy01'

/** Later versions may count more. */
const numbers = ['received', 'delivered', 'waiting', 'held', 'dead', 'ignored', 'expired', 'duplicates'] as const

export interface Sample {
  /** When it was made. Clocks of those who open it go on from there, so that nothing in it is old. */
  at: number
  /** What `check` says. */
  sums: Pick<Sums, (typeof numbers)[number]>
  /** Of each event, by its messageId. */
  states: Record<string, ShownState>
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
      await rig.command(name, { ...options, clock })
      // The service may be asked at once what it knows of accounts.
      await rig.service.store.accounts.reload(clock.now())
    }
    const { live, paused, keyless, refused, later } = accounts
    const tokens = Object.fromEntries(Object.values(accounts).map((id) => [id, drift.privateToken(id)]))
    const keys = { [live]: { writeKey }, [paused]: { writeKey }, [keyless]: {}, [refused]: { writeKey: refusedKey } }
    for (const [id, key] of Object.entries(keys))
      await command('installs add', { given: { org: id }, stdin: JSON.stringify({ accessToken: tokens[id], ...key }) })
    let vary = 0
    const send = (event: string | JsonObject, orgId: number, varied = ++vary) =>
      drift.send(event, { to: rig.to, orgId, vary: varied })

    await drift.sendAll({ to: rig.to, orgId: live })
    await send('new_meeting', live, 0)
    await send({ type: 'of_no_page', orgId: live, data: {} }, live)
    for (const type of ['new_meeting', 'gdpr_delete_requested']) await send({ type, orgId: live, data: [] }, live)
    await settled(rig)
    segment.script({ status: 400 })
    await send('meeting_updated', live)
    await settled(rig, ({ dead }) => dead === 1)
    segment.forKey(refusedKey, { status: 401 })
    await send('new_conversation', refused)
    await eventually(() => segment.requests.some(({ status }) => status === 401))
    await command('installs pause', { given: { org: String(paused) } })
    for (const id of [paused, paused, keyless, later]) await send('new_conversation', id)
    segment.script({ status: 503 })
    drift.script('/conversations/*', { status: 503 })
    for (const type of ['new_conversation', 'conversation_participant_added']) await send(type, live)
    await command('sign-in', { given: { org: String(live), url: rig.service.url } })
    await rig.service.close()

    return {
      at: clock.now(),
      ...(await contentOf(rig.env)),
      tokens,
      conversations: Object.fromEntries(
        [...drift.orgs].map(([id, { conversations }]) => [id, [...conversations.values()]]),
      ),
    }
  } finally {
    await rig.close()
  }
}

/** What the command line says of a store. */
export async function contentOf(env: Env): Promise<Pick<Sample, 'sums' | 'states'>> {
  const json = async (name: string, more: Record<string, string> = {}) => {
    const { output } = await runCommand(env, name, { given: { json: true, ...more } })
    return JSON.parse(output) as unknown
  }
  const checked = (await json('check')) as Sums
  const { entries } = (await json('inspect', { limit: '200' })) as {
    entries: { messageId: string; state: ShownState }[]
  }
  const states = Object.fromEntries(entries.map(({ messageId, state }) => [messageId, state]))
  return { sums: Object.fromEntries(numbers.map((name) => [name, checked[name]])) as Sample['sums'], states }
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
 * messageId, or a number is not what it must be.
 */
export async function playOut(url: string, sample: Sample): Promise<void> {
  const { sims, clock } = await partnersOf(sample)
  const env = { ...settingsFor(sims, ''), DATABASE_URL: url }
  // The first of this version to open it is a command.
  assert.deepEqual(await contentOf(env), { sums: sample.sums, states: sample.states })
  const service = await openService(readConfig(env), { clock, log: silentLog })
  try {
    await endHolds(env, service, { sample, clock })
    const wanted = idsIn(sample, 'waiting', 'asking', 'unclaimed', 'dead')
    const arrived = () => sims.segment.accepted.map(({ message }) => String(message.messageId)).sort()
    await eventually(() => arrived().length >= wanted.length, arrived)
    assert.deepEqual(arrived(), wanted)
    assert.equal(sims.segment.duplicates.length, 0)
    const { sums } = sample
    const delivered = sums.delivered + wanted.length
    const held = idsIn(sample, 'quarantined').length
    const ended = { ...sums, delivered, waiting: 0, held, dead: 0 }
    await eventually(async () => (await contentOf(env)).sums.delivered === delivered)
    assert.deepEqual((await contentOf(env)).sums, ended)
  } finally {
    await service.close()
    await sims.close()
  }
}

/** Accounts are resumed, get what they lack, or are installed; what died is driven again. */
async function endHolds(
  env: Env,
  service: Service,
  { sample: { tokens }, clock }: { sample: Sample; clock: Clock },
): Promise<void> {
  const { paused, keyless, refused, later } = accounts
  const command = async (name: string, options: RunOptions) => {
    const { exitCode, output } = await runCommand(env, name, { ...options, clock })
    assert.equal(exitCode, 0, output)
    await service.store.accounts.reload(clock.now())
  }
  for (const id of [paused, refused]) await command('installs resume', { given: { org: String(id) } })
  for (const [id, secrets] of [
    [keyless, { writeKey }],
    [later, { writeKey, accessToken: tokens[later] }],
  ] as const)
    await command('installs add', { given: { org: String(id) }, stdin: JSON.stringify(secrets) })
  await command('redrive', { given: { state: 'dead' } })
}

function idsIn({ states }: Sample, ...wanted: ShownState[]): string[] {
  return Object.keys(states)
    .filter((id) => wanted.includes(states[id]!))
    .sort()
}
