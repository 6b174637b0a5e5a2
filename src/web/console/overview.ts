import type { Hono } from 'hono'
import { overviewPage } from '../pages/overview.ts'
import type { Web } from '../session.ts'
import { chartOf, outcomes, spans } from './chart.ts'
import { overviewOf } from './health.ts'
import type { ConsoleNeeds } from './index.ts'

/** What a page says that one was led back to, by the word in its address. */
export const doneWords = {
  paused: 'Sending is paused. Events are received and kept.',
  resumed: 'Sending goes on, with what waited first.',
} as const

export function overviewRoute(app: Hono<Web>, { storage, roster, clock }: ConsoleNeeds): void {
  app.get('/console', async (c) => {
    const session = c.get('session')
    const now = clock.now()
    const span = oneOf(spans, c.req.query('span'), 'day')
    const outcome = oneOf(outcomes, c.req.query('show'), 'received')
    const [overview, chart] = await Promise.all([
      overviewOf(storage, session.org, roster.get(session.org), now),
      chartOf(storage.ledger, session.org, span, now),
    ])
    const done = doneWords[c.req.query('done') as keyof typeof doneWords]
    return c.html(overviewPage({ session, now, overview, chart, shows: { span, outcome }, done }))
  })
}

function oneOf<Name extends string>(names: readonly Name[], asked: string | undefined, otherwise: Name): Name {
  return names.find((name) => name === asked) ?? otherwise
}
