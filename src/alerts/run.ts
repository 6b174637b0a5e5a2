/** The two loops of alerts in a running service: looking, and sending. Neither waits for the other. */
import { type Clock, pause } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import { retireRecipients } from './recipients.ts'
import { flightsMax, type SendNeeds, sending } from './send.ts'
import { type WatchNeeds, watching } from './watch.ts'

/** All accounts are looked at so often, and a second after one of them has changed. */
const lookMs = 30_000
const changedMs = 1_000
/** A look counts all that waits in the store. It rests for so many times as long as it took, so that it takes 5 % of the time at most. */
const rests = 20
const restMsMax = 5 * 60_000
/** Messages that another process stored are found within this, and those that are due again. */
const sendMs = 10_000
const storedMs = 500
/** Stopping does not wait longer for a receiver: the request is ended, and its message sent again under its id. */
const stopMsMax = 1_000
const sweepMs = 3_600_000

export interface Alerting {
  /** An account has changed: looks soon. */
  changed(): void
  /** A message was stored: sends soon. */
  wake(): void
  stop(): Promise<void>
}

/** Starts at once. A failure is logged, and the work is tried again at its next time. `closing` ends requests in progress. */
export function startAlerts(needs: WatchNeeds & SendNeeds & { closing: AbortController }): Alerting {
  const { clock, log, storage, closing } = needs
  const stopping = new AbortController()
  const look = watching(needs)
  const next = sending(needs)
  const flights = new Set<Promise<void>>()
  const looking = loop(clock, stopping.signal, { everyMs: lookMs, soonMs: changedMs }, async () => {
    const startedAt = clock.monotonic()
    try {
      const { messages, again } = await look()
      if (messages > 0) sends.ring()
      if (again) looking.ring()
      return Math.min((clock.monotonic() - startedAt) * rests, restMsMax)
    } catch (error) {
      log.error('alert_look_failed', { code: codeOf(error) })
      return 0
    }
  })
  let sweptAt = Number.NEGATIVE_INFINITY
  const sends = loop(clock, stopping.signal, { everyMs: sendMs, soonMs: storedMs }, async () => {
    try {
      if (clock.monotonic() - sweptAt > sweepMs) {
        await storage.alerts.sweep(clock.now())
        await retireRecipients(needs)
        sweptAt = clock.monotonic()
      }
      while (flights.size < flightsMax && !stopping.signal.aborted) {
        const flight = await next()
        if (!flight) break
        const ended = flight.ended.then(() => {
          flights.delete(ended)
          sends.ring()
        })
        flights.add(ended)
      }
    } catch (error) {
      log.error('alert_failed', { code: codeOf(error) })
    }
    return 0
  })
  return {
    changed: looking.ring,
    wake: sends.ring,
    async stop() {
      stopping.abort()
      await Promise.all([looking.ended, sends.ended])
      const done = new AbortController()
      const all = Promise.all(flights).then(() => done.abort())
      await Promise.race([all, pause(clock, stopMsMax, done.signal)])
      closing.abort()
      await all
    },
  }
}

interface Pace {
  /** Between two rounds without a ring. */
  everyMs: number
  /** After a ring: several rings meanwhile are one. */
  soonMs: number
}

/** Works again and again; `work` resolves to how long it wants to rest at least, in milliseconds. */
function loop(clock: Clock, signal: AbortSignal, { everyMs, soonMs }: Pace, work: () => Promise<number>) {
  let rung = new AbortController()
  async function go(): Promise<void> {
    while (!signal.aborted) {
      const { signal: ring } = rung
      const restMs = await work()
      if (!ring.aborted) await pause(clock, Math.max(everyMs, restMs), AbortSignal.any([ring, signal]))
      if (!ring.aborted) continue
      rung = new AbortController()
      await pause(clock, Math.max(soonMs, restMs), signal)
    }
  }
  return { ring: () => rung.abort(), ended: go() }
}
