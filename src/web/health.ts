/** For whoever watches the process: is it up, and does it accept? */
import type { Clock } from '../lib/clock.ts'
import type { Storage } from '../storage/ports.ts'
import { answer, type Route } from './http/server.ts'

/** Anyone may ask, and each look at the store writes to its disk: one look answers all who ask within this time. */
const lookMs = 250

export const liveRoute: Route = (_request, response) => answer(response, 200, { ok: true })

/** 503 while the store cannot be written and while the service is draining; no detail, the log has them. */
export function readyRoute(storage: Pick<Storage, 'check'>, isDraining: () => boolean, clock: Clock): Route {
  let latest: { isWritable: Promise<boolean>; until: number } | undefined

  function isWritable(): Promise<boolean> {
    if (latest && clock.monotonic() < latest.until) return latest.isWritable
    const checked = storage.check().then(
      () => true,
      () => false,
    )
    const look = { isWritable: checked, until: Number.POSITIVE_INFINITY }
    latest = look
    void checked.then(() => {
      look.until = clock.monotonic() + lookMs
    })
    return checked
  }

  return async (_request, response) => {
    const ready = !isDraining() && (await isWritable())
    answer(response, ready ? 200 : 503, { ok: ready })
  }
}
