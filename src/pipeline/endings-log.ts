/**
 * A line of the log for each event that ends other than delivered, and for each account that begins or ceases to be held:
 * with them "why did X not arrive" is one search for its messageId, and one for its account.
 */
import { destinationOf, destinationsOf } from '../accounts/destinations.ts'
import { holdOf, reasonOf } from '../accounts/state.ts'
import type { Fields, Log } from '../lib/log.ts'
import { messageIdAt } from '../segment/message-id.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Entry } from '../storage/ports/entry.ts'
import type { Inbox, Lease, Settlement } from '../storage/ports/inbox.ts'

/** By the messageId that the destination gets. */
type Named = Pick<Entry, 'messageId' | 'type'>

/** The same inbox; what its leases settle as ended is logged, once the store has it. */
export function loggingEndings(inbox: Inbox, log: Log): Inbox {
  const known = new WeakMap<Lease, Map<number, Named>>()
  const remember = (lease: Lease, entries: readonly Entry[]) => {
    const named = known.get(lease) ?? new Map<number, Named>()
    for (const { id, type, ...entry } of entries)
      named.set(id, { messageId: messageIdAt(entry.messageId, lease.destination, entry.sending), type })
    known.set(lease, named)
  }
  const own: Partial<Inbox> = {
    async claim(...args) {
      const claimed = await inbox.claim(...args)
      for (const lease of claimed.leases) remember(lease, lease.entries)
      return claimed
    },
    async more(lease, after, limits) {
      const given = await inbox.more(lease, after, limits)
      remember(lease, given.entries)
      return given
    },
    async settle(lease, settlements, ending) {
      const ours = await inbox.settle(lease, settlements, ending)
      if (ours) {
        for (const one of settlements) {
          if (one.to === 'same') continue
          tell(lease, one)
          known.get(lease)?.delete(one.id)
        }
      }
      return ours
    },
  }
  // An engine's inbox may make its methods when they are asked for, so it cannot be copied.
  return new Proxy(inbox, { get: (port, method) => Reflect.get(own, method) ?? Reflect.get(port, method) })

  function tell(lease: Lease, { id, to, reason, attempt }: Exclude<Settlement, { to: 'same' }>): void {
    if (to !== 'dead' && to !== 'quarantined' && to !== 'ignored') return
    const attempts = attempt?.tries
    log.info('event_ended', {
      ...known.get(lease)?.get(id),
      org: lease.org,
      ...(lease.destination > 0 ? { destination: lease.destination } : {}),
      as: to,
      ...(reason === undefined ? {} : { reason }),
      ...(attempts === undefined ? {} : { attempts, status: attempt!.status }),
    })
  }
}

/**
 * A change of what holds or refuses an account: a warning where it begins, a line where it is over. Where it is a
 * destination's alone, the line names it. `elsewhere`: another process made it.
 */
export function logAccountChange(log: Log, before: Install, after: Install, more: { elsewhere?: true } = {}): void {
  const fields = { org: after.org, state: after.state, ...more }
  const [was, is] = [heldBy(before), heldBy(after)]
  if (was !== is || before.state !== after.state) tell(is, fields)
  const several = destinationsOf(after)
  if (several.length === 1 || before.state !== after.state) return
  for (const { number } of several) {
    const [wasThere, isThere] = [heldAt(before, number), heldAt(after, number)]
    if (wasThere !== isThere) tell(isThere, { ...fields, destination: number })
  }

  function tell(reason: string | undefined, what: Fields): void {
    if (reason !== undefined) log.warn('account_held', { ...what, reason })
    else log.info('account_changed', what)
  }
}

function heldBy(install: Install): string | undefined {
  return holdOf(install) ?? (install.state === 'needs_attention' ? reasonOf(install) : undefined)
}

function heldAt(install: Install, number: number): string | undefined {
  return holdOf(install, number) ?? destinationOf(install, number)?.reason
}
