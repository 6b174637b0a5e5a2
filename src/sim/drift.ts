/** A Drift of our own: its OAuth, its look-ups, and a sender of webhooks; built on what is known of Drift in public. */

import { fixtureTypes } from '../events/fixtures.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import { type Random, systemRandom } from '../lib/random.ts'
import { openHttpClient } from '../lib/request.ts'
import { type DemoSite, demoSite, widgetScript } from './demo-site.ts'
import { lookUp } from './drift-api.ts'
import { listOf } from './drift-lists.ts'
import { authorizePage, decide, token, tokenInfo, uninstall } from './drift-oauth.ts'
import { appsPage, pressApps, statusPage } from './drift-pages.ts'
import {
  type DriftSettings,
  type DriftState,
  grantTo,
  type ListSettings,
  listSettings,
  type Org,
  orgOf,
  remember,
} from './drift-state.ts'
import { expression, openScripts, type PathPattern, type Script } from './script.ts'
import { type Action, listen, type Received, type Reply } from './server.ts'
import { openWaiting, waitMsMax } from './waiting.ts'
import { openWebhookSender, type WebhookSender } from './webhook-sender.ts'

export interface DriftOptions extends Partial<Omit<DriftSettings, 'lists'>> {
  lists?: Partial<ListSettings>
  /** 0, the default: a free one. */
  port?: number
  /** Where the fixtures are. Default: the event catalogue's. */
  fixtures?: URL
  /** What the page `/demo/site` shows; without it there is none. */
  site?: DemoSite
  clock?: Clock
  random?: Random
}

export interface DriftSim extends WebhookSender, Omit<DriftState, 'clock' | 'random'> {
  readonly url: string
  /** Where an admin's browser is sent to connect the app. */
  readonly authorizeUrl: string
  readonly requests: readonly Received[]
  /** How many requests came for this path so far. */
  count(path: PathPattern): number
  /** What the next requests for this path get; undefined: the normal answers again. */
  script(path: PathPattern, script: Script<Action> | undefined): void
  /** Adds an account, or adds to it. Records are found by their `id`. */
  addOrg(org: {
    orgId: number
    name?: string
    conversations?: JsonObject[]
    contacts?: JsonObject[]
    /** Found by their `eventId`. */
    meetings?: JsonObject[]
  }): Org
  /** A grant as the OAuth flow gives one; `expiresIn` in seconds. */
  issueToken(
    orgId: number,
    options?: { scopes?: string[]; expiresIn?: number },
  ): { accessToken: string; refreshToken: string }
  /** The access token of a private app: valid until revoked, without a refresh token. */
  privateToken(orgId: number): string
  /** Every token dies, as when an admin of each account has removed the app. */
  revokeAll(): void
  /** Resolves once there are so many requests, or once the predicate likes them. Default 10 s. */
  waitFor(
    wanted: number | ((requests: readonly Received[]) => boolean),
    timeoutMs?: number,
  ): Promise<readonly Received[]>
  close(): Promise<void>
}

/** The app of the simulator. The scopes are those that Drift's page about the integration asks for. */
const defaults: Omit<DriftSettings, 'lists'> = {
  clientId: 'drift-sim-client',
  clientSecret: 'drift-sim-client-secret',
  verificationToken: 'drift-sim-verification-token',
  redirectUri: undefined,
  scopes: ['contact_read', 'all_contact_read', 'conversation_read'],
  expiresIn: 7_200,
  omitExpiresIn: false,
  omitOrgId: false,
  notFoundShape: 'errors',
}

type Route = (state: DriftState, request: Received) => Reply
const routes = new Map<string, Route>([
  ['GET /authorize', authorizePage],
  ['POST /authorize', decide],
  ['POST /oauth2/token', token],
  ['POST /app/token_info', tokenInfo],
  ['POST /app/uninstall', uninstall],
])

export async function startDrift(options: DriftOptions = {}): Promise<DriftSim> {
  const { port = 0, fixtures, site, clock = systemClock, random = systemRandom, lists, ...chosen } = options
  const settings: DriftSettings = { ...defaults, ...chosen, lists: listSettings(lists) }
  const state: DriftState = {
    clock,
    random,
    settings,
    orgs: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    codes: new Map(),
    taken: new Map(),
  }
  const requests: Received[] = []
  const scripts = openScripts<Action>()
  const waiting = openWaiting(clock)
  const httpClient = openHttpClient()
  const sender = openWebhookSender(state, httpClient.send, fixtures)
  const types = await fixtureTypes(fixtures)
  const listener = await listen({
    clock,
    port,
    requests,
    respond: (request) => ({ action: scripts.next(request), answer: () => answerTo(state, request, sender, types) }),
    pageOf: (request) => {
      if (request.path === '/') return statusPage(state, sender.sent, requests, site !== undefined)
      if (request.path === '/settings/apps') return appsPage(state, types)
      return demoSite(site, request, listener.url)
    },
    changed: waiting.changed,
  })

  return {
    url: listener.url,
    authorizeUrl: `${listener.url}/authorize`,
    settings,
    orgs: state.orgs,
    accessTokens: state.accessTokens,
    refreshTokens: state.refreshTokens,
    codes: state.codes,
    taken: state.taken,
    requests,
    ...sender,
    script: scripts.set,
    count: (path) => requests.filter((request) => expression(path).test(request.path)).length,
    addOrg({ orgId, name, conversations = [], contacts = [], meetings = [] }) {
      const org = { ...orgOf(state, orgId), ...(name === undefined ? {} : { name }) }
      state.orgs.set(orgId, org)
      for (const conversation of conversations) remember(org.conversations, conversation)
      for (const contact of contacts) remember(org.contacts, contact)
      for (const meeting of meetings) remember(org.meetings, meeting, 'eventId')
      return org
    },
    issueToken(orgId, { scopes = settings.scopes, expiresIn = settings.expiresIn } = {}) {
      const { accessToken, refreshToken = '' } = grantTo(state, orgId, scopes, expiresIn)
      return { accessToken, refreshToken }
    },
    privateToken: (orgId) => grantTo(state, orgId, settings.scopes, 0, true).accessToken,
    revokeAll() {
      state.accessTokens.clear()
      state.refreshTokens.clear()
    },
    async waitFor(wanted, timeoutMs = waitMsMax) {
      const isThere = () => (typeof wanted === 'number' ? requests.length >= wanted : wanted(requests))
      await waiting.until(isThere, timeoutMs, () => story(requests))
      return requests
    },
    async close() {
      waiting.close()
      await Promise.all([listener.close(), httpClient.close()])
    },
  }
}

function answerTo(state: DriftState, request: Received, sender: WebhookSender, types: readonly string[]): Reply {
  if (request.method === 'POST' && request.path === '/settings/apps') return pressApps(state, request, sender, types)
  const route = routes.get(`${request.method} ${request.path}`)
  if (route) return route(state, request)
  const list = listOf(state, request)
  if (list) return list
  const found = request.method === 'GET' ? lookUp(state, request) : undefined
  return found ?? widgetScript(request) ?? { status: 404, body: { message: 'no Route matched with those values' } }
}

function story(requests: Received[]): string {
  const last = requests.slice(-5).map(({ method, path, status }) => `${method} ${path} ${status}`)
  return `${requests.length} requests, the last: ${last.join(', ') || 'none'}`
}
