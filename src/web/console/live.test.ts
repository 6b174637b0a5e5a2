import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Hono } from 'hono'
import { systemClock } from '../../lib/clock.ts'
import { Problem } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import type { Web } from '../session.ts'
import { liveRoute } from './live.ts'

/** What a live page is sent, what the log says of it, and how often something is printed to standard error. */
async function streamed(t: TestContext, lanes: () => Promise<unknown[]>, closing = new AbortController().signal) {
  const printed = t.mock.method(console, 'error', () => {})
  const lines: unknown[] = []
  const closed = () => Promise.reject(new Problem('store_closed', 'the store is closed'))
  const app = new Hono<Web>()
  app.use(async (c, next) => {
    c.set('session', { org: '1' } as never)
    await next()
  })
  liveRoute(app, {
    storage: { lookup: { lanes, find: async () => ({ entries: [] }) }, jobs: { list: async () => [] } },
    accounts: { get: () => undefined },
    sessions: { find: closed },
    clock: systemClock,
    log: { ...silentLog, error: (event: string, fields: unknown) => void lines.push([event, fields]) },
    closing,
  } as never)
  const text = await (await app.request('/console/live')).text()
  return { text, lines, printed: printed.mock.callCount() }
}

test('a live page whose store fails ends with one line in the log, and prints no stack trace', async (t) => {
  const lanes = () => Promise.reject(new Problem('store_failed', 'the disk failed'))
  assert.deepEqual(await streamed(t, lanes), {
    // A page does not show that it is live before the store has answered.
    text: '',
    lines: [['page_failed', { code: 'store_failed' }]],
    printed: 0,
  })
})

test('a live page ends silently when the service closes, and does not ask the closed store', async (t) => {
  const closing = new AbortController()
  const lanes = async () => {
    setImmediate(() => closing.abort())
    return []
  }
  assert.deepEqual(await streamed(t, lanes, closing.signal), {
    text: 'event: ready\ndata: \n\n',
    lines: [],
    printed: 0,
  })
})
