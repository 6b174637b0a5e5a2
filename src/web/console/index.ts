/** The console's routes. All of them have a session; see ../session.ts. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import type { AppNeeds } from '../app.ts'
import { page } from '../pages/layout.ts'
import type { Web } from '../session.ts'

export function consoleRoutes(app: Hono<Web>, { roster }: AppNeeds): void {
  app.get('/console', (c) => {
    const session = c.get('session')
    const body = html`<h1>Account ${session.org}</h1><p>${roster.get(session.org)?.state}</p>`
    return c.html(page({ title: 'Overview', section: 'overview', session, body }))
  })
}
