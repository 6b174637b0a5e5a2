/** The loop over one lane of a store that forgets, with work that a test gives it. */
import { Problem } from '../src/lib/errors.ts'
import { type Log, silentLog } from '../src/lib/log.ts'
import { type Turn, type Work, working } from '../src/pipeline/worker.ts'
import { append, arrival } from '../src/storage/conformance.ts'
import type { Inbox, Lease } from '../src/storage/ports/inbox.ts'
import { openInMemory } from '../src/storage/sqlite/in-memory.ts'
import { manualClock } from './clock.ts'

export const leaseMs = 60_000

/** A store with counted claims, a loop over its send lane, and work that a test ends when it likes. */
export function startLoop(
  work: (lease: Lease, inbox: Inbox, turn: Turn) => Promise<void>,
  accountsMax = 3,
  atWorkMax = accountsMax,
) {
  const clock = manualClock()
  const { inbox, ledger } = openInMemory()
  const counted = { claims: 0, broken: false, lost: false }
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (event) => void errors.push(event) }
  const claim = inbox.claim
  inbox.claim = async (lane, options) => {
    counted.claims++
    if (counted.broken) throw new Error('the store is away')
    const lease = await claim(lane, options)
    if (counted.lost) throw new Problem('store_unreachable', 'the claim was committed, and its answer lost')
    return lease
  }
  const options = {
    inbox,
    holder: 'a',
    lane: 'send' as const,
    clock,
    log,
    leaseMs,
    accountsMax,
    atWorkMax,
    limit: 500,
    bytesMax: 1_000_000,
  }
  const loop: Work = working({ ...options, work: (lease, turn) => work(lease, inbox, turn) })
  loop.start()
  let last = 0
  const arrive = async (org: string) => {
    last++
    const identity = Buffer.from(`${last}`)
    const messageId = `m${last}`
    await append({ inbox }, [arrival({ org, messageId, receivedAt: clock.now(), identity, rememberMs: 1_000 })])
    loop.wake()
  }
  return { clock, inbox, ledger, loop, arrive, counted, errors }
}

export async function deliver(lease: Lease, inbox: Inbox, readyAt = 0): Promise<void> {
  const settlements = lease.entries.map(({ id }) => ({ id, to: 'delivered' as const, at: 0 }))
  await inbox.settle(lease, settlements, { readyAt, failures: 0 })
}
