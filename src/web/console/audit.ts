import type { Hono } from 'hono'
import type { ConsoleNeeds } from '../needs.ts'
import { auditPage } from '../pages/audit.ts'
import type { Web } from '../session.ts'

const step = 100
const most = 5_000

export function auditRoute(app: Hono<Web>, { storage }: ConsoleNeeds): void {
  app.get('/console/audit', async (c) => {
    const session = c.get('session')
    const asked = Number(c.req.query('show') ?? step)
    const limit = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, most) : step
    const deeds = await storage.audit.list(session.org, limit + 1)
    const more = deeds.length > limit && limit < most ? limit + step : undefined
    return c.html(auditPage({ session, deeds: deeds.slice(0, limit), more }))
  })
}
