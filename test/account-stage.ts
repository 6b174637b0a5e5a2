/**
 * One account, for test/account-table.ts: the real parts of the service on a store that forgets, between partners that
 * answer what the test says. Nothing but the partners' answers is made up. How it comes into each state: account-states.ts.
 */
import { createSecretKey } from 'node:crypto'
import { followStates } from '../src/accounts/accounts.ts'
import { firstOf } from '../src/accounts/destinations.ts'
import { openKeyring } from '../src/accounts/keyring.ts'
import { isLeaving } from '../src/accounts/state.ts'
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
import { openParts, type Parts, stepLane } from './stage.ts'

export const org = '5000883'
export const app = { clientId: 'our-client', clientSecret: 'our-secret' }
const addresses = { driftUrl: 'http://drift', segmentUrl: 'http://segment' }

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
export const down = page(503)

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
export interface Saved {
  /** Of the store; none when it is empty. */
  image?: Uint8Array
  now: number
  orgsAllowed: ReadonlySet<Org> | undefined
}

export const newSaved = (): Saved => ({ now: Date.UTC(2025, 5, 1), orgsAllowed: undefined })

export async function openWorld(saved: Saved): Promise<World> {
  let { now, orgsAllowed } = saved
  let isOffered = false
  // Time stands: what waits for a moment, such as for another process, goes on at once.
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
export const madeUnreadable = ({ settings }: Install) => settings.replace(/}$/, `,${unreadable}}`)
