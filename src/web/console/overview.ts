import type { Hono } from 'hono'
import type { ConsoleNeeds } from '../needs.ts'
import { overviewPage } from '../pages/overview.ts'
import type { Web } from '../session.ts'
import { chartOf, outcomes, spans } from './chart.ts'
import { overviewOf } from './health.ts'

/** What a page says that one was led back to, by the word in its address. */
const doneWords: ReadonlyMap<string, string> = new Map([
  ['paused', 'Sending is paused. Events are received and kept.'],
  ['resumed', 'Sending goes on, with what waited first.'],
])

export function overviewRoute(app: Hono<Web>, { storage, accounts, clock }: ConsoleNeeds): void {
  app.get('/console', async (c) => {
    const session = c.get('session')
    const now = clock.now()
    const span = oneOf(spans, c.req.query('span'), 'day')
    const outcome = oneOf(outcomes, c.req.query('show'), 'received')
    const [overview, chart] = await Promise.all([
      overviewOf(storage, session.org, accounts.get(session.org), now),
      chartOf(storage.ledger, session.org, span, now),
    ])
    const done = doneWords.get(c.req.query('done') ?? '')
    return c.html(overviewPage({ session, now, overview, chart, shows: { span, outcome }, done }))
  })
}

function oneOf<Name extends string>(names: readonly Name[], asked: string | undefined, otherwise: Name): Name {
  return names.find((name) => name === asked) ?? otherwise
}
