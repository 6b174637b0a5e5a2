/**
 * Whether a lease still belongs to its holder: asked before each request. Erasing ends leases while their holders have the
 * entries in memory, and answers only after `trustMs` more. So no request begins afterwards with what was erased, on any
 * replica, and a holder need not ask the store before every request.
 */
import { type Clock, type Look, lookAt } from '../lib/clock.ts'
import type { Inbox, Lease } from '../storage/ports/inbox.ts'
import { trustMs } from './until-gone.ts'

interface Needs {
  inbox: Pick<Inbox, 'renew'>
  clock: Clock
  leaseMs: number
}

/**
 * `claimedAt`: a look at the clocks before the claim, if there was one. The function that this returns renews the lease
 * whenever the store's last answer is older than `trustMs`. Both clocks count: a suspended machine stops the one, a step
 * of the time moves the other.
 */
export function watchLease({ inbox, clock, leaseMs }: Needs, lease: Lease, claimedAt?: Look): () => Promise<boolean> {
  let last = claimedAt
  const isFresh = () => {
    if (!last) return false
    const { now, monotonic } = lookAt(clock)
    const ageMs = Math.max(monotonic - last.monotonic, Math.abs(now - last.now))
    return ageMs < Math.min(trustMs, leaseMs / 3)
  }
  return async () => {
    while (!isFresh()) {
      const before = lookAt(clock)
      // mutant: goes on sending from memory what was erased
      if (!(await inbox.renew(lease, before.now + leaseMs))) return false
      last = before
    }
    return true
  }
}
