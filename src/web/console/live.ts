/** `GET /console/live`: says when something changed for this account, and nothing else; the page then asks for itself. */
import type { Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { pause } from '../../lib/clock.ts'
import { codeOf } from '../../lib/errors.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import type { Storage } from '../../storage/ports/storage.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Web } from '../session.ts'

/** How often the store is asked: a few index look-ups for each page that is looked at. */
const everyMs = 1_000
/** A browser asks again by itself, and then its session is looked at again. */
const lastsMs = 5 * 60_000
const beatMs = 20_000
/** Pages of one account that are looked at at once: each asks the store, and no account's people may wear it out. */
const streamsMax = 50
/** Jobs of which a page hears that they went on. */
const jobsShown = 5

export function liveRoute(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, sessions, clock, log, closing } = needs
  const open = new Map<Org, number>()
  const count = (org: Org, by: number) => open.set(org, (open.get(org) ?? 0) + by)
  app.get('/console/live', (c) => {
    const { org } = c.get('session')
    if ((open.get(org) ?? 0) >= streamsMax) return refuse(c, 429, 'too_many')
    // The reader has gone and would not read it to its end.
    if (c.req.method === 'HEAD') return c.body(null)
    count(org, 1)
    // Asks proxies that wait for more before they pass anything on not to.
    c.header('x-accel-buffering', 'no')
    return streamSSE(c, async (stream) => {
      const gone = new AbortController()
      const end = () => gone.abort()
      stream.onAbort(end)
      closing.addEventListener('abort', end, { once: true })
      try {
        await speak(c, stream, gone.signal)
      } catch (error) {
        // Hono prints what reaches it to standard error, with its stack. After a hang-up or while closing it is not a fault.
        if (!gone.signal.aborted) log.error('page_failed', { code: codeOf(error) })
      } finally {
        count(org, -1)
        closing.removeEventListener('abort', end)
      }
    })
  })

  async function speak(c: Context<Web>, stream: SSEStreamingApi, gone: AbortSignal): Promise<void> {
    const { org } = c.get('session')
    const begun = clock.monotonic()
    // Before the page hears that it may look again: what comes after that look is a change.
    let seen = await pulseOf(storage, org, accounts.get(org))
    await stream.writeSSE({ event: 'ready', data: '' })
    let spokenAt = begun
    while (!gone.aborted && !closing.aborted && clock.monotonic() - begun < lastsMs) {
      await pause(clock, everyMs, gone)
      // The store may be closed by now.
      if (gone.aborted) return
      // Its page then asks again, and is led to the sign-in.
      if (!(await sessions.find(c))) return
      const pulse = await pulseOf(storage, org, accounts.get(org))
      if (pulse === seen && clock.monotonic() - spokenAt < beatMs) continue
      await stream.writeSSE({ event: pulse === seen ? 'beat' : 'change', data: '' })
      seen = pulse
      spokenAt = clock.monotonic()
    }
  }
}

/** Differs when anything that a page shows is different: cheap, and never more than a few look-ups. */
async function pulseOf(
  { lookup, jobs }: Pick<Storage, 'lookup' | 'jobs'>,
  org: Org,
  install: Install | undefined,
): Promise<string> {
  const [lanes, newest, latest] = await Promise.all([
    lookup.lanes(org),
    lookup.find({ org }, { limit: 1 }),
    jobs.list(jobsShown, org),
  ])
  const ofJobs = latest.map(({ id, state, counts, cancelledBy }) => [id, state, counts, cancelledBy])
  return JSON.stringify([newest.entries[0]?.id, lanes.map(ofLane), install?.generation, ofJobs])
}

function ofLane({ triedAt, hold, blocked, failures, lastError, asked }: LaneShown): unknown[] {
  return [triedAt, hold, blocked, failures, lastError, asked]
}
