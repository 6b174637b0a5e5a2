/**
 * Everything that a browser asks for, on one screen. The webhook, health and fixed files are not here: web/http/server.ts
 * answers those by exact path, and gives the rest to this app.
 */
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Accounts } from '../accounts/accounts.ts'
import { openStates } from '../accounts/connect-begin.ts'
import { finishing } from '../accounts/connect-finish.ts'
import type { Disconnect } from '../accounts/disconnect.ts'
import type { Keyring } from '../accounts/keyring.ts'
import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import type { Storage } from '../storage/ports.ts'
import { connectRoutes } from './connect/callback.ts'
import { writeKeyRoutes } from './connect/write-key.ts'
import { consoleRoutes } from './console/index.ts'
import type { BodyBudget } from './http/body-budget.ts'
import { knownRoutes, ownPagesOnly, smallBody } from './http/gate.ts'
import { type Site, securityHeaders } from './http/headers.ts'
import { refuse } from './http/refuse.ts'
import type { Route } from './http/server.ts'
import { openSessions, type Sessions, type Web } from './session.ts'
import { signInRoutes, signOutRoutes } from './sign-in.ts'

export interface AppNeeds {
  config: Config
  /** Known once the service listens. */
  publicUrl(): string
  storage: Storage
  keyring: Keyring
  accounts: Accounts
  disconnect: Disconnect
  /** Looks at the lanes now: something was put in line. */
  wake(): void
  /** The service is about to stop: what is still being sent to browsers ends. */
  closing: AbortSignal
  send: Send
  strangers: BodyBudget
  clock: Clock
  random: Random
  log: Log
}

export function openApp(needs: AppNeeds): Hono<Web> {
  const { config, publicUrl, storage, keyring, accounts, send, strangers, clock, random, log } = needs
  const { tickets, audit, vault } = storage
  const hasOauth = config.oauth !== undefined
  const site: Site = {
    publicUrl,
    isSecure: config.publicUrl?.startsWith('https:') ?? false,
    leadsTo: [config.drift.authorizeUrl, config.drift.settingsUrl],
  }
  const sessions: Sessions = openSessions({ tickets, clock, random, site, hasOauth })

  const states = openStates({ keyring, tickets, clock, random })
  const common = { accounts, keyring, vault, send, clock, apiUrl: config.drift.apiUrl, single: config.single?.org }
  const { orgsAllowed } = config
  const finish = config.oauth && finishing({ ...common, app: config.oauth, orgsAllowed })

  const app = new Hono<Web>()
  app.use(securityHeaders(site), knownRoutes(app), smallBody(strangers), ownPagesOnly(site))
  app.get('/', (c) => c.redirect('/console', 303))
  connectRoutes(app, { ...needs, site, states, finish, sessions, audit })
  writeKeyRoutes(app, { ...needs, sessions, audit })
  signInRoutes(app, { sessions, tickets, audit, clock, site, random, hasOauth })
  app.use('/console/*', sessions.required)
  signOutRoutes(app, { sessions, tickets, audit, clock })
  consoleRoutes(app, { ...needs, sessions })

  app.onError((error, c) => {
    if (error instanceof HTTPException && error.status === 415) return refuse(c, 415, 'form_unusable')
    if (error instanceof HTTPException) return refuse(c, 400, 'form_unusable')
    log.error('page_failed', { code: codeOf(error) })
    return refuse(c, 500, 'internal')
  })
  return app
}

const nothingMore = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', connection: 'close' }

/** The app as the listener's way for all that has no route of its own. */
export function appRoute(app: Hono<Web>): Route {
  const answer = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    // An address that is none, such as one with a backslash in its path.
    errorHandler: () => Response.json({ ok: false, error: 'not_found' }, { status: 404, headers: { ...nothingMore } }),
  })
  return async (request, response, allowBody) => {
    // No page depends on what the request calls this host.
    request.headers.host = 'localhost'
    allowBody()
    await answer(request, response)
  }
}
