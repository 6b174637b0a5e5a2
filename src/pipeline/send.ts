/** One lease of the send lane, from sealed entries to what became of each: resolve, translate, deliver, settle. */

import type { EventPage } from '../events/define.ts'
import { isUnreadable, type Keyring } from '../install/keyring.ts'
import { holdOf, type Roster } from '../install/roster.ts'
import { openWriteKey } from '../install/write-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { batchRequest, messageBytesMax, messagesMax, type Packed, pack, textOf } from '../segment/batch.ts'
import { judge } from '../segment/verdict.ts'
import type { Answer, Ending, Install, Lease, Org, Settlement, Storage } from '../storage/ports.ts'
import { allRefused, type Delivered, deliver } from './deliver.ts'
import { atOnce, breath, type Resolved, resolve } from './resolve.ts'
import { endingOf, type Pause, unprobed } from './settle.ts'
import { translate } from './translate.ts'
import { markTrouble, markWell } from './trouble.ts'

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

/**
 * An account whose every message was refused is probed with the first in line, and that one may be all that is wrong.
 * After so many probes, two hours, a whole batch is tried.
 */
const probesBeforeBatch = 7
/** The reasons for which this lane troubles an account, and so may end the trouble of. */
const ownReasons = /^(segment_|write_key_)/

export async function sendLease(needs: SendNeeds, lease: Lease): Promise<void> {
  const { storage, roster, clock, random, log } = needs
  const { inbox } = storage
  const startedAt = clock.monotonic()
  const { install, hold } = await installOf(roster, lease.org, clock)
  if (!install || hold) {
    await inbox.hold(lease.org, 'send', hold ?? 'not_installed')
    await inbox.settle(lease, [], endingOf(lease, undefined, clock.now(), random))
    return
  }
  const writeKey = await usableKey(needs, install)
  if (writeKey === undefined) {
    await markTrouble(roster, lease.org, unreadable, clock.now())
    await inbox.settle(lease, [], endingOf(lease, { is: 'held', reason: unreadable }, clock.now(), random))
    return
  }
  const totals = { delivered: 0, dead: 0, requests: 0 }
  const sent = await sendAll(needs, lease, install, writeKey, totals)
  if (!sent) return
  const { settlements, stopped } = sent
  const ending = await endingFor(needs, lease, install, stopped, totals.requests)
  const ours = await inbox.settle(lease, settlements, ending)
  if (ours && totals.delivered > 0 && !stopped) await markWell(roster, lease.org, ownReasons, clock.now())
  log.info('batch', {
    org: lease.org,
    entries: lease.entries.length,
    ...totals,
    outcome: stopped ? `${stopped.is}: ${stopped.reason}` : 'done',
    probe: lease.trouble !== undefined,
    leaseKept: ours,
    ...(totals.delivered > 0 ? { lagMs: clock.now() - lease.entries[0]!.receivedAt } : {}),
    durationMs: Math.round(clock.monotonic() - startedAt),
  })
}

/**
 * Sends what a lease holds, run by run. What became of each is settled while the next one is sent; of the last one it is
 * given back, for the lease's end. Undefined when somebody else has the lease by now.
 */
async function sendAll(
  needs: SendNeeds,
  lease: Lease,
  install: Install,
  writeKey: string,
  totals: Totals,
): Promise<{ settlements: Settlement[]; stopped?: Delivered['stopped'] } | undefined> {
  const { inbox } = needs.storage
  const answers = new Map<number, Answer>()
  let settling = Promise.resolve(true)
  for await (const { aside, messages, resolved, isLast } of ahead(needs, lease)) {
    if (aside.length > 0) {
      // What must ask goes on its way first, and does not wait for Segment.
      if (!(await settling) || !(await inbox.settle(lease, aside))) return undefined
      needs.wakeAsking()
    }
    const runs = pack(messages, writeKey)
    for (const run of runs) {
      const result = await deliver(
        run,
        (part) => attempt(needs, lease, install, writeKey, part, totals, answers),
        lease.trouble !== undefined,
      )
      if (!(await settling)) return undefined
      totals.delivered += result.delivered.length
      totals.dead += result.dead.length
      const settlements = settled(result, resolved, answers, needs.clock.now())
      const { stopped } = result
      if (stopped || (isLast && run === runs.at(-1))) return { settlements, stopped }
      settling = goesOn(inbox.settle(lease, settlements))
    }
  }
  return (await settling) ? { settlements: [] } : undefined
}

interface Totals {
  delivered: number
  dead: number
  requests: number
}

const unreadable = 'write_key_unreadable'

/** Undefined when what is stored does not open, its bytes having been changed: that is no event's fault. */
async function usableKey({ keyring }: SendNeeds, install: Install): Promise<string | undefined> {
  try {
    return await openWriteKey(keyring, install)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** Everything that can be said of some entries before Segment is asked: what to send, and what becomes of the others. */
interface Prepared {
  messages: Packed[]
  aside: Settlement[]
  resolved: Map<number, Resolved>
  isLast: boolean
}

/** A lease's entries, a request's worth after the other: the next ones are made ready while the ones before are sent. */
async function* ahead(needs: SendNeeds, lease: Lease): AsyncGenerator<Prepared> {
  const { entries } = lease
  let next = prepare(needs, lease, 0)
  for (let at = messagesMax; ; at += messagesMax) {
    const prepared = await next
    if (at < entries.length) next = goesOn(prepare(needs, lease, at))
    yield prepared
    if (prepared.isLast) return
  }
}

/** A promise that is looked at later: should it fail before that, nobody need be told yet. */
function goesOn<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}

/** A claim that was not held back although the account is: what is known here may be older than the store. */
async function installOf(roster: Roster, org: Org, clock: Clock): Promise<{ install?: Install; hold?: string }> {
  for (let looks = 0; ; looks++) {
    const install = roster.get(org)
    const hold = install ? holdOf(install) : 'not_installed'
    if (install && !hold) return { install }
    if (looks > 0) return { ...(install ? { install } : {}), hold: hold ?? 'not_installed' }
    await roster.reload(clock.now())
  }
}

/** How the lease ends. Trouble that is not the account's any more, its key or region being new, is none. */
async function endingFor(
  { roster, clock, random }: SendNeeds,
  lease: Lease,
  install: Install,
  stopped: Delivered['stopped'],
  requests: number,
): Promise<Ending> {
  const now = clock.now()
  if (lease.trouble !== undefined && requests === 0) return unprobed(lease, now)
  if (stopped?.is !== 'held') return endingOf(lease, stopped as Pause | undefined, now, random)
  const wasOther = lease.trouble !== undefined && lease.trouble !== allRefused
  // The key is listened to again, and only this one message is refused: whether it is to blame, a whole batch tells.
  const batchTells = wasOther || lease.failures >= probesBeforeBatch
  if (stopped.reason === allRefused && batchTells) return endingOf(lease, undefined, now, random)
  const isCurrent = ({ region, writeKey }: Install) =>
    region === install.region && writeKey !== undefined && Buffer.compare(writeKey, install.writeKey!) === 0
  const counts = await markTrouble(roster, lease.org, stopped.reason, now, isCurrent)
  return endingOf(lease, counts ? stopped : undefined, now, random)
}

async function prepare(needs: SendNeeds, lease: Lease, from: number): Promise<Prepared> {
  const { storage, catalogue, keyring, clock } = needs
  const entries = lease.entries.slice(from, from + messagesMax)
  const prepared: Prepared = {
    messages: [],
    aside: [],
    resolved: new Map(),
    isLast: from + messagesMax >= lease.entries.length,
  }
  const looks = { catalogue, keyring, conversations: storage.conversations }
  let many = 0
  for (const one of await resolve(looks, lease.org, entries)) {
    prepared.resolved.set(one.entry.id, one)
    const made = prepareOne(one, clock.now())
    if ('text' in made) prepared.messages.push(made)
    else prepared.aside.push(made)
    if (++many % atOnce === 0) await breath()
  }
  return prepared
}

function prepareOne(one: Resolved, now: number): Packed | Settlement {
  const { id } = one.entry
  if (one.is === 'quarantined') return { id, to: 'quarantined', at: now, reason: one.reason }
  if (one.is === 'asking') return { id, to: 'asking', at: now }
  const text = translated(one)
  if (text === null) return { id, to: 'quarantined', at: now, reason: 'translation_failed', ...learntOf(one) }
  if (text === undefined) return { id, to: 'ignored', at: now }
  const bytes = Buffer.byteLength(text)
  if (bytes > messageBytesMax) return { id, to: 'dead', at: now, reason: 'message_too_large', ...learntOf(one) }
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

/** Whose it is, where the webhook did not say so itself: people search by it. */
function learntOf(one: Resolved): Pick<Settlement, 'contact'> {
  if (one.is !== 'known' || one.entry.contact === one.known.contactId) return {}
  return { contact: one.known.contactId }
}

async function attempt(
  needs: SendNeeds,
  lease: Lease,
  install: Install,
  writeKey: string,
  part: readonly Packed[],
  totals: { requests: number },
  answers: Map<number, Answer>,
) {
  const { storage, clock, send, segment, leaseMs } = needs
  // From the second request on the lease may be old: somebody else may have these entries by now.
  if (totals.requests++ > 0 && !(await storage.inbox.renew(lease, clock.now() + leaseMs))) {
    return { is: 'later', reason: 'lease_lost' } as const
  }
  const answered = await send(batchRequest(segment[install.region], writeKey, part, clock.now()))
  const answer = { status: answered.status, batch: part.length, tries: lease.failures + 1 }
  for (const { id } of part) answers.set(id, answer)
  return judge(answered, clock.now())
}

function settled(
  { delivered, dead }: Delivered,
  resolved: Map<number, Resolved>,
  answers: Map<number, Answer>,
  at: number,
): Settlement[] {
  const by = (id: number) => ({ answer: answers.get(id)!, ...learntOf(resolved.get(id)!) })
  return [
    ...delivered.map((id): Settlement => ({ id, to: 'delivered', at, ...by(id) })),
    ...dead.map(({ id, reason }): Settlement => ({ id, to: 'dead', at, reason, ...by(id) })),
  ]
}
