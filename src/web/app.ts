/**
 * Everything that a browser asks for, on one screen. The webhook, health and fixed files are not here: web/http/server.ts
 * answers those by exact path, and gives the rest to this app.
 */
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { openStates } from '../accounts/connect-begin.ts'
import { finishing } from '../accounts/connect-finish.ts'
import { codeOf } from '../lib/errors.ts'
import { confirmAlertsRoutes } from './confirm-alerts.ts'
import { connectRoutes } from './connect/callback.ts'
import { writeKeyRoutes } from './connect/write-key.ts'
import { consoleRoutes } from './console/index.ts'
import { signInRoutes, signOutRoutes } from './console/sign-in.ts'
import { knownRoutes, ownPagesOnly, smallBody } from './http/gate.ts'
import { type Site, securityHeaders } from './http/headers.ts'
import { refuse } from './http/refuse.ts'
import type { Route } from './http/server.ts'
import { openKeptTest } from './kept-test.ts'
import type { AppNeeds } from './needs.ts'
import { openReturnPath } from './return-path.ts'
import { openSessions, type Sessions, type Web } from './session.ts'

export function openApp(needs: AppNeeds): Hono<Web> {
  const { config, publicUrl, storage, keyring, accounts, send, strangers, clock, random, log } = needs
  const { tickets, audit, vault } = storage
  const hasOauth = config.oauth !== undefined
  const site: Site = {
    publicUrl,
    isSecure: config.publicUrl?.startsWith('https:') ?? false,
    leadsTo: [config.drift.authorizeUrl, config.drift.settingsUrl],
  }
  const returnPath = openReturnPath({ keyring, site })
  const sessions: Sessions = openSessions({ tickets, clock, random, site, hasOauth, returnPath })

  const states = openStates({ keyring, tickets, clock, random })
  const common = {
    accounts,
    keyring,
    vault,
    send,
    clock,
    apiUrl: config.drift.apiUrl,
    single: config.single?.org,
  }
  const { orgsAllowed } = config
  const finish = config.oauth && finishing({ ...common, app: config.oauth, orgsAllowed })

  const app = new Hono<Web>()
  app.use(securityHeaders(site), knownRoutes(app), smallBody(strangers), ownPagesOnly(site))
  for (const path of ['/', '/console/']) app.get(path, (c) => c.redirect('/console', 303))
  connectRoutes(app, { ...needs, site, states, finish, sessions, returnPath, audit })
  writeKeyRoutes(app, { ...needs, sessions })
  confirmAlertsRoutes(app, needs)
  signInRoutes(app, { sessions, tickets, audit, clock, site, random, hasOauth, returnPath })
  app.use('/console/*', sessions.required)
  signOutRoutes(app, { sessions, tickets, audit, clock })
  consoleRoutes(app, { ...needs, sessions, returnPath, keptTest: openKeptTest({ keyring, site }) })

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
