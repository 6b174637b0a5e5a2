/** For whoever watches the process: is it up, and does it accept? */
import type { Storage } from '../storage/ports.ts'
import { answer, type Route } from './server.ts'

export const liveRoute: Route = (_request, response) => answer(response, 200, { ok: true })

/** 503 while the store cannot be written and while the service is draining; no detail, the log has them. */
export function readyRoute(storage: Pick<Storage, 'check'>, isDraining: () => boolean): Route {
  return async (_request, response) => {
    const ready =
      !isDraining() &&
      (await storage.check().then(
        () => true,
        () => false,
      ))
    answer(response, ready ? 200 : 503, { ok: ready })
  }
}
