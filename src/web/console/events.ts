import type { Hono } from 'hono'
import { catalogue } from '../../events/index.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { eventsPage } from '../pages/events.ts'
import type { Web } from '../session.ts'
import { filterOf, queryOf, readCursor, writeCursor } from './query.ts'

const pageSize = 50

export function eventsRoute(app: Hono<Web>, { storage, keyring }: ConsoleNeeds): void {
  app.get('/console/events', async (c) => {
    const session = c.get('session')
    const { org } = session
    const filter = filterOf((name) => c.req.query(name))
    const asked = c.req.query('before')
    const before = asked === undefined ? undefined : readCursor(keyring, org, asked)
    const query = queryOf(org, filter)
    const wrong =
      'wrong' in query
        ? query.wrong
        : asked !== undefined && !before
          ? 'This address is not one that the list gave.'
          : undefined
    const common = { session, filter, types: [...catalogue.keys()], isFurther: before !== undefined }
    if (wrong !== undefined || 'wrong' in query)
      return c.html(eventsPage({ ...common, entries: [], next: undefined, wrong }), 400)
    const { entries, next } = await storage.lookup.find(query, { limit: pageSize, ...(before ? { before } : {}) })
    return c.html(eventsPage({ ...common, entries, next: next && writeCursor(keyring, org, next) }))
  })
}
