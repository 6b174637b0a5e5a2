/** What erasing waits for once the rows are gone, before it answers: the holders of leases. */
import { type Clock, pause } from '../lib/clock.ts'

/** For so long a lease's holder goes by the store's last answer that the lease is its own. */
export const trustMs = 2_000

/** Resolves when no process will begin a request with what was erased: its holders have asked the store again by then. */
export function untilGone(clock: Clock): Promise<void> {
  return pause(clock, trustMs)
}
