/** The requests of one lease to Segment: whether one may still be made, and what its answer means. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Destination } from '../accounts/destinations.ts'
import type { Keyring } from '../accounts/keyring.ts'
import type { AccountReason } from '../accounts/needs-attention.ts'
import { holdOf } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import type { Answered, Send } from '../lib/request.ts'
import { batchRequest, type Packed } from '../segment/batch.ts'
import { addressOf, type Places } from '../segment/place.ts'
import { judge, type Verdict } from '../segment/verdict.ts'
import type { Attempt } from '../storage/ports/entry.ts'
import type { Lease, Settlement } from '../storage/ports/inbox.ts'
import { sealExcerpt } from './excerpt.ts'

interface Needs {
  accounts: Accounts
  keyring: Pick<Keyring, 'seal'>
  send: Send
  segment: Places
  clock: Clock
  /** Whether the lease is still ours: only then may a request begin. */
  isOurs(): Promise<boolean>
}

export interface Attempts {
  /** One request with these messages. */
  attempt(part: readonly Packed[]): Promise<Verdict>
  /** How many requests were made. */
  made(): number
  /** The requests that had this entry, if any were made; they are forgotten then. */
  requestsOf(id: number): HadBy
  /** Of the entries that are not forgotten, which wait for the next request. `nextAt`: when that is. */
  left(at: number, nextAt?: number): Settlement[]
}

/** `destination`: the one of the lease, as it was when the lease began. */
export function attempts(needs: Needs, lease: Lease, destination: Destination, writeKey: string): Attempts {
  const { accounts, keyring, send, segment, clock, isOurs } = needs
  const isEndpoint = destination.endpoint !== undefined
  const had = new Map<number, Attempt[]>()
  let requests = 0

  async function attempt(part: readonly Packed[]): Promise<Verdict> {
    // Paused, or said to have disconnected, since the lease began: no further request.
    const hold = holdNow(accounts, lease)
    if (hold !== undefined) return { is: 'later', reason: hold }
    const apiUrl = addressOf(segment, destination)
    if (apiUrl === undefined) return { is: 'later', reason: 'endpoint_not_allowed' }
    // Another holder may have these entries by now, or they were erased.
    if (!(await isOurs())) return { is: 'later', reason: 'lease_lost' }
    requests++
    const at = clock.now()
    const begunAt = clock.monotonic()
    const answered = await send(batchRequest({ apiUrl, writeKey, isEndpoint }, part, at))
    const ms = Math.round(clock.monotonic() - begunAt)
    const verdict = judge(answered, clock.now())
    const made = { at, ms, status: answered.status, many: part.length, tries: lease.failures + 1 }
    note(
      part,
      verdict.is === 'done' ? made : { ...made, reason: verdict.reason, ...(await quoted(at, part, answered)) },
    )
    return verdict
  }

  function quoted(at: number, part: readonly Packed[], answered: Answered): ReturnType<typeof sealExcerpt> {
    const secrets = [writeKey, ...(isEndpoint ? [Buffer.from(`${writeKey}:`).toString('base64')] : [])]
    const asked = { secrets, texts: part.map(({ text }) => text) }
    return sealExcerpt(keyring, { org: lease.org, at }, answered, asked)
  }

  function note(part: readonly Packed[], made: Attempt): void {
    for (const { id } of part) had.set(id, [...(had.get(id) ?? []), made])
  }

  function requestsOf(id: number): HadBy {
    const all = had.get(id) ?? []
    had.delete(id)
    return hadBy(all)
  }

  function left(at: number, nextAt?: number): Settlement[] {
    const planned = new Map<Attempt, Attempt>()
    const plan = (attempt: Attempt) => {
      const made = planned.get(attempt) ?? { ...attempt, ...(nextAt === undefined ? {} : { nextAt }) }
      planned.set(attempt, made)
      return made
    }
    return [...had].map(([id, all]) => ({ id, to: 'same', at, ...hadBy([...all.slice(0, -1), plan(all.at(-1)!)]) }))
  }

  return { attempt, made: () => requests, requestsOf, left }
}

/** The requests that had an entry, as its settlement names them. */
export type HadBy = Pick<Settlement, 'attempt' | 'earlier'>

/** Of requests in their order. */
export function hadBy(requests: readonly Attempt[]): HadBy {
  const attempt = requests.at(-1)
  if (!attempt) return {}
  return requests.length > 1 ? { attempt, earlier: requests.slice(0, -1) } : { attempt }
}

/** Why a destination is held back at this moment, as far as this process knows. */
export function holdNow(
  accounts: Accounts,
  { org, destination }: Pick<Lease, 'org' | 'destination'>,
): AccountReason | undefined {
  const known = accounts.get(org)
  return known && holdOf(known, destination)
}
