import type { Hono } from 'hono'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { overviewPage } from '../pages/overview.ts'
import type { Web } from '../session.ts'
import { chartOf, outcomes, spans } from './chart.ts'
import { doneOf } from './done.ts'
import { overviewOf } from './health.ts'

export function overviewRoute(app: Hono<Web>, { config, storage, accounts, clock }: ConsoleNeeds): void {
  app.get('/console', async (c) => {
    const session = c.get('session')
    const now = clock.now()
    const span = oneOf(spans, c.req.query('span'), 'day')
    const outcome = oneOf(outcomes, c.req.query('show'), 'received')
    const install = accounts.get(session.org)
    const [overview, chart, lanes] = await Promise.all([
      overviewOf(storage, session.org, install, now, connectsHere(config, session.org)),
      chartOf(storage.ledger, session.org, span, now),
      storage.lookup.lanes(session.org),
    ])
    const done = doneOf(c.req.query('done'), install, lanes, now)
    return c.html(overviewPage({ session, now, overview, chart, shows: { span, outcome }, done }))
  })
}

function oneOf<Name extends string>(names: readonly Name[], asked: string | undefined, otherwise: Name): Name {
  return names.find((name) => name === asked) ?? otherwise
}
