/** One lease of the send lane, from sealed entries to what became of each: resolve, translate, deliver, settle. */

import type { Accounts } from '../accounts/accounts.ts'
import { markBlocked, markWell } from '../accounts/blocked.ts'
import { type Destination, destinationOf, goesElsewhere } from '../accounts/destinations.ts'
import type { AccountReason } from '../accounts/needs-attention.ts'
import type { Id } from '../events/define.ts'
import { type Bell, openBell } from '../lib/bell.ts'
import type { Look } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { type Room, roomOf } from '../segment/batch.ts'
import type { Places } from '../segment/place.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Given, LaneKey } from '../storage/ports/entry.ts'
import type { Ending, Lease, Settlement } from '../storage/ports/inbox.ts'
import { type Attempts, attempts, holdNow } from './attempt.ts'
import { contactWaits } from './contact-waits.ts'
import type { Contacts } from './contacts.ts'
import { allRefused, deliver, judgement } from './deliver.ts'
import { refusalsOf, type WithExtra } from './extras.ts'
import { flights } from './flights.ts'
import { type Hand, openHand } from './hand.ts'
import { watchLease } from './lease-watch.ts'
import { optionsFor } from './options-for.ts'
import { type PrepareNeeds, prepare } from './prepare.ts'
import { endingOf, moreSevere, type Pause, unprobed } from './settle.ts'
import { settleAll, settlementsOf } from './settlements.ts'
import { settler } from './settler.ts'
import { destinationNow, targetOf, usableKey } from './target.ts'
import type { Turn } from './worker.ts'

export interface SendNeeds extends PrepareNeeds {
  accounts: Accounts
  /** What Drift says of contacts, for the options that take it. */
  contacts: Contacts
  send: Send
  segment: Places
  random: Random
  log: Log
  leaseMs: number
  /** Called when entries need a lookup at Drift. */
  wakeLookups(): void
}

/**
 * An account whose every message was refused is probed with the first of its queue, and that one may be all that is wrong.
 * After so many probes, two hours, a whole batch is tried.
 */
const probesBeforeBatch = 7
/** Requests of one lease under way at once: an account's speed is not bound by how long Segment takes to answer. */
const requestsMax = 16
/** Beside others, a request that is not full starts no sooner after the last such one: many events a second share requests. */
const partialEveryMs = 5
/** A lease that nothing else shares the process with, and that hears of nothing new. */
const byItself: Turn = { share: () => Number.POSITIVE_INFINITY, onWake() {}, away: (wait) => wait() }

/** `turn`: what the loop grants and tells the lease. `claimedAt`: a look at the clocks before the claim. */
export async function sendLease(needs: SendNeeds, lease: Lease, turn = byItself, claimedAt?: Look): Promise<void> {
  const { storage, accounts, clock, random, log } = needs
  const { inbox } = storage
  const startedAt = clock.monotonic()
  const found = await targetOf(accounts, lease, clock)
  if (found.is === 'removed') return inbox.removeDestination(lease.org, lease.destination, clock.now())
  if (found.is === 'held') {
    await inbox.hold(laneOf(lease), found.reason)
    await inbox.settle(lease, [], unprobed(lease, clock.now()))
    return
  }
  const { destination } = found
  const writeKey = await usableKey(needs.keyring, lease.org, destination)
  if (writeKey === undefined) {
    await markBlocked(accounts, lease.org, { reason: unreadable, destination: lease.destination }, clock.now())
    await inbox.settle(lease, [], endingOf(lease, { is: 'held', reason: unreadable }, clock.now(), random))
    return
  }
  const totals: Totals = { entries: 0, delivered: 0, dead: 0 }
  const isOurs = watchLease({ ...needs, inbox }, lease, claimedAt)
  const requests = attempts({ ...needs, isOurs }, lease, destination, writeKey)
  const room = roomOf(writeKey, needs.messagesMax)
  // Another key or region is for the next lease.
  const isAsBegun = () => !goesElsewhere(destinationNow(accounts, lease), destination)
  const own = openBell(clock)
  const bell: Bell = { ring: own.ring, rung: (withinMs) => turn.away(() => own.rung(withinMs)) }
  const hand = openHand({ ...needs, inbox, isAsBegun, came: bell.ring }, lease, turn)
  needs.contacts.begin(lease)
  const sent = await sendAll(needs, lease, requests, { room, bell, hand, isOurs }, totals)
  if (!sent) return
  const { settlements, stopped, restMs } = sent
  const ended = await endingFor(needs, lease, destination, stopped, requests.made())
  const ending = { ...ended, readyAt: Math.max(ended.readyAt, clock.now() + restMs) }
  const left = requests.left(clock.now(), ending.tried && ending.readyAt)
  const ours = await settleAll(inbox, lease, [...settlements, ...left], ending)
  if (ours && totals.delivered > 0 && !stopped) await markWell(accounts, lease.org, clock.now(), lease.destination)
  log.info('batch', {
    org: lease.org,
    destination: lease.destination,
    ...totals,
    requests: requests.made(),
    outcome: stopped ? `${stopped.is}: ${stopped.reason}` : 'done',
    probe: lease.blocked !== undefined,
    leaseKept: ours,
    durationMs: Math.round(clock.monotonic() - startedAt),
  })
}

interface Means {
  room: Room
  /** Rung when there may be something to do: a request or a transaction has ended, something has come. */
  bell: Bell
  hand: Hand
  isOurs(): Promise<boolean>
}

/**
 * What waits for its contact alone is taken up again after so long at most: a lane that is not leased does not hear of what
 * comes for others.
 */
const contactRestMsMax = 5_000
/** Events of a lease that may wait for their contacts, and where they have filled its hand. */
const waitingMax = 2_000
const waitingMaxFull = 250

/**
 * Sends what a lease holds and what comes meanwhile, some requests at once, until nothing is left. What became of a
 * request is settled while others are under way; of the last ones it is given back, for the lease's end. Undefined when
 * another process has the lease by now.
 */
async function sendAll(
  needs: SendNeeds,
  lease: Lease,
  { attempt, requestsOf }: Attempts,
  { room, bell, hand, isOurs }: Means,
  totals: Totals,
): Promise<Sending | undefined> {
  const { clock, storage, contacts, keyring } = needs
  const learnt = new Map<number, Id>()
  const withExtra: WithExtra = new Map()
  const settling = settler({ inbox: storage.inbox, letGo: hand.letGo, done: bell.ring }, lease)
  let stopped: Pause | undefined
  const judging = judgement()
  /** Also those that are dead without a request, such as one that is too large. */
  const counted = (settlements: Settlement[]) => {
    totals.dead += settlements.filter(({ to }) => to === 'dead').length
    return settlements
  }
  const sending = flights({ room, atOnceMax: requestsMax, partialEveryMs, clock, bell }, async (run) => {
    const judge = judging.begin()
    const result = judge(await deliver(run, attempt, lease.blocked !== undefined))
    totals.delivered += result.delivered.length
    // The first request has the oldest: later ones of a long turn say nothing of how long it waited.
    if (totals.delivered > 0) totals.lagMs ??= clock.now() - lease.entries[0]!.receivedAt
    const notes = await refusalsOf(needs.keyring, result, withExtra)
    settling.add(counted(settlementsOf(result, learnt, requestsOf, clock.now(), notes)))
    stopped = moreSevere(stopped, result.stopped)
    if (stopped) sending.stop()
  })

  const waits = contactWaits(
    {
      contacts,
      keyring,
      clock,
      isOurs,
      // They stay in hand.
      note: (settlements) => storage.inbox.settle(lease, settlements),
      settleUnsent: (settlements) => settling.now(counted([...settlements])),
      withExtra,
      most: () => (hand.isFull() ? waitingMaxFull : waitingMax),
      came: bell.ring,
    },
    lease.org,
  )

  async function take(given: Given, moreComes: () => boolean): Promise<void> {
    const prepared = await prepare(needs, lease, given, (version) => optionsFor(needs, lease, version))
    totals.entries += given.entries.length
    // Entries that need a lookup are settled first, and do not wait for Segment.
    if (prepared.unsent.length > 0) {
      if (!(await settling.now(counted(prepared.unsent)))) return sending.stop()
      needs.wakeLookups()
    }
    for (const [id, contact] of prepared.learnt) learnt.set(id, contact)
    for (const [id, known] of prepared.withExtra) withExtra.set(id, known)
    sending.add(await waits.take(prepared.items), moreComes())
  }

  /** Begins to read what comes next, if it is time to. */
  function readNext(): Promise<Given> | undefined {
    if (settling.isBroken()) sending.stop()
    const reading = sending.isStopped() ? undefined : hand.next(sending.restMs() === 0)
    // Awaited below, once what was read before is sent: until then a failure must not count as an unhandled rejection.
    reading?.catch(() => {})
    return reading
  }

  /** For a lookup of Drift's that is under way; for one that must be made again only while other entries may come as well. */
  function waitsOn(): boolean {
    return !sending.isStopped() && (waits.isLookingUp() || (!waits.isEmpty() && hand.goesOn()))
  }

  try {
    let reading: Promise<Given> | undefined = Promise.resolve(lease)
    for (;;) {
      if (reading !== undefined) {
        const given = await reading
        reading = readNext()
        await take(given, () => reading !== undefined && hand.isLong())
      } else {
        if (!waits.isEmpty()) sending.add(await waits.next())
        reading = readNext()
      }
      if (waits.isLost()) sending.stop()
      if (reading === undefined && sending.isIdle() && !waitsOn()) break
      settling.flush()
      if (reading === undefined) {
        await bell.rung(sending.isStopped() ? undefined : Math.min(hand.againInMs(sending.restMs()), waits.restMs()))
      }
    }
    await sending.finish()
  } catch (error) {
    sending.stop()
    await sending.finish().catch(() => {})
    await settling.giveUp()
    throw error
  }
  const rest = { delivered: [], dead: judging.rest() }
  if (!stopped) settling.add(counted(settlementsOf(rest, learnt, requestsOf, clock.now())))
  const settlements = await settling.finish()
  const restMs = stopped || waits.isEmpty() ? 0 : Math.min(waits.restMs(), contactRestMsMax)
  return settlements && { settlements, stopped, restMs }
}

interface Sending {
  /** What is still to be settled, with the lease's end. */
  settlements: Settlement[]
  stopped: Pause | undefined
  /** How long what waits for its contact is left alone. */
  restMs: number
}

interface Totals {
  entries: number
  delivered: number
  dead: number
  /** From the receipt of the first entry to the first that went through. */
  lagMs?: number
}

const unreadable = 'write_key_unreadable' satisfies AccountReason

/** How the lease ends. A refusal does not count when the destination has got another key or place since. */
async function endingFor(
  { accounts, clock, random }: SendNeeds,
  lease: Lease,
  destination: Destination,
  stopped: Pause | undefined,
  requests: number,
): Promise<Ending> {
  const now = clock.now()
  const isHeldBack = stopped !== undefined && stopped.reason === holdNow(accounts, lease)
  const isUnprobed = requests === 0 && (!stopped || lease.blocked !== undefined)
  if (isHeldBack || isUnprobed) return unprobed(lease, now)
  if (stopped?.is !== 'held') return endingOf(lease, stopped, now, random)
  const wasOther = lease.blocked !== undefined && lease.blocked !== allRefused
  // The key is listened to again, and only this one message is refused: whether it is to blame, a whole batch tells. So
  // this attempt has not brought anything yet.
  const batchTells = wasOther || lease.failures >= probesBeforeBatch
  if (stopped.reason === allRefused && batchTells) return { readyAt: now, failures: 0 }
  const isCurrent = (stored: Install) => !goesElsewhere(destinationOf(stored, lease.destination), destination)
  const blocked = { reason: stopped.reason, destination: lease.destination }
  const counts = await markBlocked(accounts, lease.org, blocked, now, isCurrent)
  return endingOf(lease, counts ? stopped : undefined, now, random)
}

function laneOf({ org, lane, destination }: Lease): LaneKey {
  return { org, lane, destination }
}
