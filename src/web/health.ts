/** For what watches the process: is it up, and does it accept? */
import { type Clock, pause } from '../lib/clock.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { answer, type Route } from './http/server.ts'

/** Anyone may ask, and each look at the store writes to its disk: one look answers all who ask within this time. */
const lookMs = 250
/** A store that has not answered within this is as good as one that cannot be written: the balancer must hear so. */
const deadlineMs = 5_000

export const liveRoute: Route = (_request, response) => answer(response, 200, { ok: true })

/** 503 while the store cannot be written and while the service is draining; no detail, the log has them. */
export function readyRoute(storage: Pick<Storage, 'check'>, isDraining: () => boolean, clock: Clock): Route {
  let latest: { isWritable: Promise<boolean>; until: number } | undefined

  function isWritable(): Promise<boolean> {
    if (latest && clock.monotonic() < latest.until) return latest.isWritable
    const ended = new AbortController()
    const checked = storage.check().then(
      () => true,
      () => false,
    )
    let isLate = false
    const late = pause(clock, deadlineMs, ended.signal).then(() => {
      isLate = true
      return false
    })
    const look = { isWritable: Promise.race([checked, late]), until: Number.POSITIVE_INFINITY }
    latest = look
    void checked.then(() => {
      // What a late one found out is old news: the next who asks looks again.
      look.until = isLate ? Number.NEGATIVE_INFINITY : clock.monotonic() + lookMs
      ended.abort()
    })
    return look.isWritable
  }

  return async (_request, response) => {
    const ready = !isDraining() && (await isWritable())
    answer(response, ready ? 200 : 503, { ok: ready })
  }
}
