// biome-ignore-all lint/style/noExcessiveLinesPerFile: one stage, and the ways into each state.
/**
 * One account in any of its states, for test/account-table.ts: the real parts of the service on a store
 * that forgets, between partners that answer what the test says. Nothing but the partners' answers is made up: an account
 * comes into its state as it does in the service.
 */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { followStates } from '../src/accounts/accounts.ts'
import { pauseAccount } from '../src/accounts/actions.ts'
import { changeDestination, firstOf } from '../src/accounts/destinations.ts'
import { grantFields } from '../src/accounts/grant.ts'
import { openKeyring } from '../src/accounts/keyring.ts'
import { isLeaving } from '../src/accounts/state.ts'
import { sealWriteKey } from '../src/accounts/write-key.ts'
import { tokensOf } from '../src/drift/envelope.ts'
import { catalogue } from '../src/events/index.ts'
import type { Clock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { systemRandom } from '../src/lib/random.ts'
import type { Answered, Outgoing, Send } from '../src/lib/request.ts'
import { receiver } from '../src/pipeline/receive.ts'
import type { Install } from '../src/storage/ports/accounts.ts'
import type { Lane, Org } from '../src/storage/ports/entry.ts'
import { openInMemory } from '../src/storage/sqlite/in-memory.ts'
import { openParts, type Parts, stepLane, writeKey } from './stage.ts'

export const org = '5000883'
export const app = { clientId: 'our-client', clientSecret: 'our-secret' }
const addresses = { driftUrl: 'http://drift', segmentUrl: 'http://segment' }
const hour = 3_600_000

/** What a partner says to a request; several: in turn, the last one from then on. */
export type Said = Answered | readonly Answered[] | ((request: Outgoing) => Answered)

/** The requests that there are to a partner. */
export interface Partners {
  /** Segment: a batch of events. */
  batch: Said
  /** Drift: whose a conversation is; a code or a refresh token for a grant; what a token is; the end of a grant. */
  lookup: Said
  exchange: Said
  refresh: Said
  tokenInfo: Said
  uninstall: Said
}

export const json = (status: number, body: object): Answered => ({ status, headers: {}, body: JSON.stringify(body) })
export const page = (status: number): Answered => ({ status, headers: {}, body: '<html>' })
export const failed = (failure: string): Answered => ({ status: 0, failure })
/** An error in Drift's own words. */
export const own = (status: number, error: string) => json(status, { error, error_description: 'No.' })

let made = 0
export const pair =
  (whose: string = org) =>
  () =>
    json(200, { access_token: `access-${++made}`, refresh_token: `refresh-${made}`, expires_in: 7_200, orgId: whose })

/** Each partner says yes. */
export const well: Partners = {
  batch: json(200, { success: true }),
  lookup: json(200, { data: { id: 1, contactId: 8 } }),
  exchange: pair(),
  refresh: pair(),
  tokenInfo: json(200, { authenticated_userid: `orgId:${org}` }),
  uninstall: json(200, { result: 'OK', ok: true }),
}
const down = page(503)

export type Endpoint = keyof Partners

export interface World extends Parts {
  partners: Partners
  /** What was asked of the partners since this was last emptied. */
  requests: Endpoint[]
  clock: Clock
  advance(ms: number): void
  common: ReturnType<typeof commonOf>
  /** A webhook of the account. */
  arrive(type: string, data: JsonObject): Promise<void>
  /** Both lanes, until nothing is due at this moment; `stepped` is called after each lease. */
  run(stepped?: () => Promise<void>): Promise<void>
  /** As the service is started again: the accounts are read again, and the lanes follow them. */
  restart(orgsAllowed?: ReadonlySet<Org>, endpoints?: ReadonlySet<string>): Promise<void>
  /** The accounts that the settings list, where they list any. */
  orgsAllowed(): ReadonlySet<Org> | undefined
  /** Another version of the service saves the account's settings. */
  write(settings: string): Promise<void>
  saved(): Saved
  stored(): Promise<Install | undefined>
  /** The account's state in a word of the table; a state that makes no sense says so. */
  name(): Promise<string>
}

const commonOf = ({ accounts, grants, disconnect, needs }: Parts, storage: ReturnType<typeof openInMemory>) => {
  const { keyring, clock, send } = needs
  return { accounts, grants, disconnect, keyring, clock, send, storage }
}

/** A moment in the life of an account, from which several go on. */
interface Saved {
  /** Of the store; none when it is empty. */
  image?: Uint8Array
  now: number
  orgsAllowed: ReadonlySet<Org> | undefined
}

const newSaved = (): Saved => ({ now: Date.UTC(2025, 5, 1), orgsAllowed: undefined })

async function openWorld(saved: Saved): Promise<World> {
  let { now, orgsAllowed } = saved
  let isOffered = false
  // Time stands: what waits for a saved, such as for another process, goes on at once.
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(_delayMs, callback) {
      const soon = setImmediate(callback)
      return () => clearImmediate(soon)
    },
  }
  const storage = openInMemory(saved.image)
  const secret = createSecretKey(Buffer.alloc(32, 7))
  const keyring = await openKeyring(storage.vault, [{ id: 'test', secret }], systemRandom)
  await storage.vault.create(`drift-app/${app.clientId}`, Buffer.from('what Drift calls our app'))
  const send: Send = async (request) => {
    const endpoint = endpointOf(request)
    world.requests.push(endpoint)
    const said = world.partners[endpoint]
    if (typeof said === 'function') return said(request)
    if (!('length' in said)) return said
    const earlier = world.requests.filter((one) => one === endpoint).length - 1
    return said[Math.min(earlier, said.length - 1)]!
  }
  const around = { storage, keyring, send, clock, app, ...addresses }
  const parts = await openParts({ ...around, ...(orgsAllowed ? { orgsAllowed } : {}) })
  const receiving = { tokens: tokensOf(['a-token-of-drift']), catalogue, keyring, inbox: storage.inbox, clock }
  const world: World = {
    ...parts,
    partners: well,
    requests: [],
    clock,
    common: commonOf(parts, storage),
    advance(ms) {
      now += ms
    },
    async arrive(type, data) {
      const { accounts } = world
      const receive = receiver({ ...receiving, accounts, random: systemRandom, orgsAllowed, wake() {} })
      const body = Buffer.from(JSON.stringify({ type, orgId: Number(org), data }))
      await receive(body, { verdict: 'right' })
    },
    async run(stepped = async () => {}) {
      const step = async (lane: Lane) => {
        const isDone = await stepLane(world, lane)
        if (isDone) await stepped()
        return isDone
      }
      while ((await step('send')) || (await step('ask')));
    },
    async restart(allowed, offered = new Set()) {
      orgsAllowed = allowed
      isOffered = offered.has(lostEndpoint)
      const endpoints = new Map([...offered].map((name) => [name, addresses.segmentUrl]))
      Object.assign(world, await openParts({ ...around, endpoints, ...(allowed ? { orgsAllowed: allowed } : {}) }))
      world.common = commonOf(world, storage)
      await followStates(storage.inbox, world.accounts.all(), now)
    },
    orgsAllowed: () => orgsAllowed,
    async write(settings) {
      await storage.installs.save({ ...(await world.stored())!, settings })
    },
    saved: () => ({ image: storage.image(), now, orgsAllowed }),
    stored: () => storage.installs.get(org),
    async name() {
      const install = await world.stored()
      const known = install ? nameOf({ ...install, settings: readable(install) }, isOffered) : 'absent'
      const named = install && isUnreadable(install) ? `settings_unreadable (${known})` : known
      return orgsAllowed && !orgsAllowed.has(org) ? `not listed (${named})` : named
    },
  }
  return world
}

function endpointOf({ url, body = '' }: Outgoing): Endpoint {
  if (url.startsWith(addresses.segmentUrl)) return 'batch'
  if (url.includes('/conversations/')) return 'lookup'
  if (url.includes('/app/uninstall')) return 'uninstall'
  if (url.includes('/app/token_info')) return 'tokenInfo'
  return body.includes('grant_type=refresh_token') ? 'refresh' : 'exchange'
}

function nameOf(install: Install, isOffered: boolean): string {
  const { state, grant } = install
  const destination = firstOf(install)
  const reasons = [install.reason, destination.reason].filter(Boolean).join(' + ')
  const reason = reasons === '' ? undefined : reasons
  const [hasKey, hasGrant] = [firstOf(install).key !== undefined, grant !== undefined]
  if (state === 'disconnected') return reason || hasKey || hasGrant ? `${state} with ${reason ?? 'a secret'}` : state
  const below = state === 'paused' && !hasKey ? 'paused without a key' : state
  if ((state === 'waiting_for_key') === hasKey && state !== 'paused') return `${state}, its key is ${hasKey}`
  if (isLeaving(install)) return `${install.reason} (${below})`
  if ((state === 'needs_attention') !== (reason !== undefined)) return `${state} because of ${reason}`
  const isLost = destination.endpoint !== undefined && !isOffered && below === 'live'
  return reason ?? (isLost ? 'endpoint_not_allowed' : below)
}

/** One that DESTINATION_ENDPOINTS does not list any more. */
export const lostEndpoint = 'gone'

/** Of a version that has more to say of them. */
const unreadable = '"offTypes":"mars"'

export const isUnreadable = ({ settings }: Install) => settings.includes(unreadable)

/** The same settings in words that this version knows, and in words that it does not. */
export const readable = ({ settings }: Install) => settings.replace(`,${unreadable}`, '')
const madeUnreadable = ({ settings }: Install) => settings.replace(/}$/, `,${unreadable}}`)

/** What a partner says that ends in an account being refused for this reason. */
const refusals: Readonly<Record<string, Partial<Partners>>> = {
  write_key_unreadable: {},
  segment_unheard_of: { batch: page(401) },
  write_key_refused: { batch: json(400, { message: 'An invalid write key was provided' }) },
  segment_401: { batch: page(401) },
  segment_403: { batch: page(403) },
  segment_404: { batch: page(404) },
  segment_redirect: { batch: page(302) },
  segment_success_false: { batch: json(200, { success: false }) },
  not_segment: { batch: page(200) },
  segment_refuses_all: { batch: json(400, { message: 'no' }) },
  segment_request_invalid: { batch: failed('REQUEST_INVALID') },
  drift_request_invalid: { lookup: failed('REQUEST_INVALID') },
  grant_dead: { lookup: own(401, 'invalid_token'), refresh: own(400, 'invalid_request') },
  drift_token_refused: { lookup: own(401, 'invalid_token') },
  drift_forbidden: { lookup: own(403, 'insufficient_scope') },
}

const reached = new Map<string, Saved>()

/** An account in this state. What follows happens to it alone. */
export async function accountThatIs(state: string): Promise<World> {
  if (!reached.has(state)) {
    const world = await openWorld(newSaved())
    await reach(world, state)
    assert.equal(await world.name(), state)
    reached.set(state, world.saved())
  }
  const saved = reached.get(state)!
  return openWorld(saved)
}

/**
 * Brings the account into this state. Two of its events wait to be sent and a third one waits for Drift to say whose it is:
 * both partners were down a saved ago.
 */
async function reach(world: World, state: string): Promise<void> {
  const [, wrapper, inner] = /^(.*?) \((.*)\)$/.exec(state) ?? []
  if (wrapper === 'settings_unreadable') {
    await reach(world, inner!)
    await world.write(madeUnreadable((await world.stored())!))
    await world.restart()
    await world.run()
  } else if (wrapper === 'not listed') {
    await reach(world, inner!)
    await world.restart(new Set(['1']))
    await world.run()
  } else if (wrapper !== undefined) {
    await reach(world, inner === 'needs_attention' ? 'segment_401' : inner!)
    const stranger = json(200, { authenticated_userid: 'orgId:77' })
    const said = wrapper === 'disconnecting' ? { tokenInfo: down, refresh: down } : { tokenInfo: stranger }
    world.partners = { ...world.partners, ...said }
    await world.arrive('app_disconnected', {})
    await world.run()
  } else if (state !== 'absent') {
    await connect(world)
    await bring(world, state)
  }
}

async function connect(world: World): Promise<void> {
  const { accounts, keyring, clock } = world.common
  const grant = { accessToken: 'access', refreshToken: 'refresh', expiresAt: clock.now() + 72 * hour }
  const fields = await grantFields(keyring, org, grant, clock.now())
  const key = await sealWriteKey(keyring, org, 1, writeKey)
  await accounts.change(org, clock.now(), (blank) => changeDestination({ ...blank, ...fields }, 1, { key }))
  world.partners = { ...well, batch: down, lookup: down }
  for (const n of [1, 2])
    await world.arrive('contact_updated', { endUserId: 7, timestamp: n, diff: [{ name: 'attributes.n', updated: n }] })
  await world.arrive('conversation_participant_added', { conversationId: 1, addedParticipants: [1], changedAt: 1 })
  await world.run()
}

async function bring(world: World, state: string): Promise<void> {
  const { accounts, clock } = world.common
  const change = (edit: (install: Install) => Install) => accounts.change(org, clock.now(), edit)
  if (state === 'disconnected') await world.disconnect.leave(org, 'a person')
  if (state === 'waiting_for_key' || state === 'paused without a key')
    await change((install) => changeDestination(install, 1, { key: undefined }))
  if (state.startsWith('paused')) await pauseAccount(world.common, org, 'a person')
  if (state === 'endpoint_not_allowed')
    await change((install) => changeDestination(install, 1, { endpoint: lostEndpoint }))
  const refusal = refusals[state]
  if (!refusal) return
  if (state === 'write_key_unreadable')
    await change((install) => changeDestination(install, 1, { key: Buffer.alloc(99, 1).toString('base64') }))
  world.advance(2_000)
  world.partners = { ...world.partners, ...refusal }
  await world.run()
  if (state === 'segment_unheard_of') await change((install) => changeDestination(install, 1, { reason: state }))
}

/** From now on each partner says yes, or what is said here; one that was silent about a disconnect stays so. */
export function nowSays(world: World, state: string, said: Partial<Partners>): void {
  const silent = state.includes('disconnecting (') ? { tokenInfo: down, refresh: down } : {}
  world.partners = { ...well, ...silent, ...said }
  world.requests.length = 0
}
