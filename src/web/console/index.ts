/** The console's routes on one screen. All of them have a session; see ../session.ts. */
import type { Hono } from 'hono'
import { catalogue } from '../../events/index.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Web } from '../session.ts'
import { alertsRoutes } from './alerts.ts'
import { auditRoutes } from './audit.ts'
import { connectionRoutes } from './connection.ts'
import { continueRoute } from './continue.ts'
import { destinationRoutes } from './destination.ts'
import { addDestinationRoutes } from './destination-add.ts'
import { destinationKeyRoutes } from './destination-key.ts'
import { eventRoutes } from './event.ts'
import { eventsRoute } from './events.ts'
import { exportRoute } from './export.ts'
import { historyRoutes } from './history.ts'
import { homeRoute } from './home.ts'
import { liveRoute } from './live.ts'
import { mappingRoutes } from './mapping.ts'
import { notSentRoutes } from './not-sent.ts'
import { privacyRoutes } from './privacy.ts'
import { resendRoutes } from './resend.ts'
import { websiteRoutes } from './website.ts'

export function consoleRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { keyring, accounts, storage, clock } = needs
  const { lookup, inbox } = storage
  const redriveNeeds = { catalogue, keyring, accounts, lookup, inbox, clock }
  homeRoute(app, needs)
  liveRoute(app, needs)
  eventsRoute(app, needs)
  exportRoute(app, needs)
  eventRoutes(app, { ...needs, redriveNeeds })
  historyRoutes(app, needs)
  resendRoutes(app, { ...needs, redriveNeeds })
  connectionRoutes(app, needs)
  destinationKeyRoutes(app, needs)
  destinationRoutes(app, needs)
  addDestinationRoutes(app, needs)
  mappingRoutes(app, needs)
  alertsRoutes(app, needs)
  websiteRoutes(app, needs)
  continueRoute(app, needs)
  notSentRoutes(app, needs)
  privacyRoutes(app, needs)
  auditRoutes(app, needs)
  formAddresses(app)
}

/**
 * A form that is not in order is answered at its own address. Opened by itself, as from a bookmark or on the way back from a
 * sign-in, that address leads to the page that the form stands on.
 */
function formAddresses(app: Hono<Web>): void {
  const pathsOf = (wanted: string) =>
    new Set(app.routes.flatMap(({ method, path }) => (method === wanted ? [path] : [])))
  const pageOf = (path: string) => path.slice(0, path.lastIndexOf('/'))
  const pages = pathsOf('GET')
  for (const path of pathsOf('POST'))
    if (!pages.has(path) && pages.has(pageOf(path)) && pageOf(path) !== '/console')
      app.get(path, (c) => c.redirect(pageOf(c.req.path), 303))
}
