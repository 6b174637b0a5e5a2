/** The requests of one lease to Segment: whether one may still be made, and what its answer means. */
import type { Accounts } from '../accounts/accounts.ts'
import type { AccountReason } from '../accounts/needs-attention.ts'
import { settingsOf } from '../accounts/settings.ts'
import { holdOf } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import { batchRequest, type Packed } from '../segment/batch.ts'
import { judge, type Verdict } from '../segment/verdict.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Attempt, Org } from '../storage/ports/entry.ts'
import type { Lease } from '../storage/ports/inbox.ts'

interface Needs {
  accounts: Accounts
  send: Send
  segment: { us: string; eu: string }
  clock: Clock
  /** Whether the lease is still ours: only then may a request begin. */
  isOurs(): Promise<boolean>
}

export interface Attempts {
  /** One request with these messages. */
  attempt(part: readonly Packed[]): Promise<Verdict>
  /** How many requests were made. */
  made(): number
  /** The last request that had this entry, if one was made; it is forgotten then. */
  attemptOf(id: number): Attempt | undefined
}

export function attempts(needs: Needs, lease: Lease, install: Install, writeKey: string): Attempts {
  const { accounts, send, segment, clock, isOurs } = needs
  const last = new Map<number, Attempt>()
  let requests = 0

  async function attempt(part: readonly Packed[]): Promise<Verdict> {
    // Paused, or said to have disconnected, since the lease began: no further request.
    const hold = holdNow(accounts, lease.org)
    if (hold !== undefined) return { is: 'later', reason: hold }
    // Another holder may have these entries by now, or they were erased.
    if (!(await isOurs())) return { is: 'later', reason: 'lease_lost' }
    requests++
    const at = clock.now()
    const begunAt = clock.monotonic()
    const answered = await send(batchRequest(segment[settingsOf(install).region], writeKey, part, at))
    const ms = Math.round(clock.monotonic() - begunAt)
    const made = { at, ms, status: answered.status, many: part.length, tries: lease.failures + 1 }
    for (const { id } of part) last.set(id, made)
    return judge(answered, clock.now())
  }

  function attemptOf(id: number): Attempt | undefined {
    const attempt = last.get(id)
    last.delete(id)
    return attempt
  }

  return { attempt, made: () => requests, attemptOf }
}

/** Why an account is held back at this moment, as far as this process knows. */
export function holdNow(accounts: Accounts, org: Org): AccountReason | undefined {
  const known = accounts.get(org)
  return known && holdOf(known)
}
