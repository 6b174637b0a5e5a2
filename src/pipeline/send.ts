/** One lease of the send lane, from sealed entries to what became of each: resolve, translate, deliver, settle. */

import type { EventPage } from '../events/define.ts'
import type { Keyring } from '../install/keyring.ts'
import { holdOf, type Roster } from '../install/roster.ts'
import { openWriteKey } from '../install/write-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { batchRequest, messageBytesMax, type Packed, pack, textOf } from '../segment/batch.ts'
import { judge } from '../segment/verdict.ts'
import type { Install, Lease, Settlement, Storage } from '../storage/ports.ts'
import { type Delivered, deliver } from './deliver.ts'
import { conversationOf, type Resolved, resolve } from './resolve.ts'
import { endingOf, type Pause } from './settle.ts'
import { translate } from './translate.ts'

export interface SendNeeds {
  storage: Pick<Storage, 'inbox' | 'conversations'>
  catalogue: ReadonlyMap<string, EventPage>
  roster: Roster
  keyring: Keyring
  send: Send
  segment: { us: string; eu: string }
  clock: Clock
  random: Random
  log: Log
  leaseMs: number
  /** Called when Drift must be asked about something. */
  wakeAsking(): void
}

/** Leases in a row that ended without a word, the last ones of a single entry: that entry is set aside. */
const crashesBeforeQuarantine = 10

export async function sendLease(needs: SendNeeds, lease: Lease): Promise<void> {
  const { storage, roster, clock, random, log } = needs
  const { inbox } = storage
  const startedAt = clock.monotonic()
  const install = roster.get(lease.org)
  const hold = install ? holdOf(install) : 'not_installed'
  if (!install || hold) {
    await inbox.hold(lease.org, 'send', hold ?? 'not_installed')
    await inbox.settle(lease, [], endingOf(lease, undefined, clock.now(), random))
    return
  }
  const { settlements, messages, resolved } = await prepare(needs, lease)
  if (settlements.length > 0) {
    // What must ask goes on its way first, and does not wait for Segment.
    if (!(await inbox.settle(lease, settlements.splice(0)))) return
    needs.wakeAsking()
  }
  const writeKey = await openWriteKey(needs.keyring, install)
  const totals = { delivered: 0, dead: 0, requests: 0 }
  let stopped: Delivered['stopped']
  for (const run of pack(messages, writeKey)) {
    const result = await deliver(
      run,
      (part) => attempt(needs, lease, install, writeKey, part, totals),
      lease.trouble !== undefined,
    )
    totals.delivered += result.delivered.length
    totals.dead += result.dead.length
    settlements.push(...settled(result, resolved, clock.now()))
    stopped = result.stopped
    if (stopped) break
    if (!(await inbox.settle(lease, settlements.splice(0)))) return
  }
  const now = clock.now()
  if (stopped?.is === 'held') await markTrouble(roster, install, stopped.reason, now)
  const ours = await inbox.settle(lease, settlements, endingOf(lease, stopped as Pause | undefined, now, random))
  if (ours && !stopped && lease.trouble !== undefined) await markWell(roster, install, lease.trouble, now)
  log.info('batch', {
    org: lease.org,
    entries: lease.entries.length,
    ...totals,
    outcome: stopped ? `${stopped.is}: ${stopped.reason}` : 'done',
    probe: lease.trouble !== undefined,
    leaseKept: ours,
    durationMs: Math.round(clock.monotonic() - startedAt),
  })
}

interface Prepared {
  settlements: Settlement[]
  messages: Packed[]
  resolved: Map<number, Resolved>
}

/** Everything that can be said before Segment is asked: the messages to send, and what becomes of the others. */
async function prepare(needs: SendNeeds, lease: Lease): Promise<Prepared> {
  const { storage, catalogue, keyring, clock } = needs
  const settlements: Settlement[] = []
  const messages: Packed[] = []
  if (lease.crashes >= crashesBeforeQuarantine && lease.entries.length === 1) {
    settlements.push({ id: lease.entries[0]!.id, to: 'quarantined', at: clock.now(), reason: 'crashes' })
    return { settlements, messages, resolved: new Map() }
  }
  const looks = { catalogue, keyring, conversations: storage.conversations }
  const resolved = new Map<number, Resolved>()
  for (const one of await resolve(looks, lease.org, lease.entries)) {
    resolved.set(one.entry.id, one)
    const prepared = prepareOne(one, clock.now())
    if ('text' in prepared) messages.push(prepared)
    else settlements.push(prepared)
  }
  return { settlements, messages, resolved }
}

function prepareOne(one: Resolved, now: number): Packed | Settlement {
  const { id } = one.entry
  if (one.is === 'quarantined') return { id, to: 'quarantined', at: now, reason: one.reason }
  if (one.is === 'asking') return { id, to: 'asking', at: now, conversation: one.conversationId }
  const text = translated(one)
  if (text === null) return { id, to: 'quarantined', at: now, reason: 'translation_failed', ...searchedBy(one) }
  if (text === undefined) return { id, to: 'ignored', at: now }
  const bytes = Buffer.byteLength(text)
  if (bytes > messageBytesMax) return { id, to: 'dead', at: now, reason: 'message_too_large', ...searchedBy(one) }
  return { id, text, bytes }
}

/** Undefined when the event says nothing; null when its page fails on it, which must not hold up those behind it. */
function translated(one: Extract<Resolved, { is: 'known' }>): string | undefined | null {
  try {
    const call = translate(one.page, one.data, one.known, one.entry)
    return call && textOf(call)
  } catch {
    return null
  }
}

/** What people search an entry by, in the clear. */
function searchedBy(one: Resolved): Pick<Settlement, 'contact' | 'conversation'> {
  if (one.is !== 'known') return {}
  const conversation = conversationOf(one.page, one.data)
  return { contact: one.known.contactId, ...(conversation === undefined ? {} : { conversation }) }
}

async function attempt(
  needs: SendNeeds,
  lease: Lease,
  install: Install,
  writeKey: string,
  part: readonly Packed[],
  totals: { requests: number },
) {
  const { storage, clock, send, segment, leaseMs } = needs
  // From the second request on the lease may be old: somebody else may have these entries by now.
  if (totals.requests++ > 0 && !(await storage.inbox.renew(lease, clock.now() + leaseMs))) {
    return { is: 'later', reason: 'lease_lost' } as const
  }
  return judge(await send(batchRequest(segment[install.region], writeKey, part, clock.now())), clock.now())
}

function settled({ delivered, dead }: Delivered, resolved: Map<number, Resolved>, at: number): Settlement[] {
  const by = (id: number) => searchedBy(resolved.get(id)!)
  return [
    ...delivered.map((id): Settlement => ({ id, to: 'delivered', at, ...by(id) })),
    ...dead.map(({ id, reason }): Settlement => ({ id, to: 'dead', at, reason, ...by(id) })),
  ]
}

export async function markTrouble(roster: Roster, install: Install, reason: string, now: number): Promise<void> {
  await roster.change(install.org, now, (stored) => {
    const already = stored.state === 'needs_attention' && stored.reason === reason
    return already || stored.state !== 'live' ? undefined : { ...stored, state: 'needs_attention', reason }
  })
}

async function markWell(roster: Roster, install: Install, trouble: string, now: number): Promise<void> {
  await roster.change(install.org, now, (stored) => {
    if (stored.state !== 'needs_attention' || stored.reason !== trouble) return undefined
    const { reason: _, ...rest } = stored
    return { ...rest, state: 'live' }
  })
}
