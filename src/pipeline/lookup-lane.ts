/** One lease of the ask lane: looks up at Drift whose these conversations are, and queues each entry to be sent. */

import { isStillAsked } from '../accounts/actions.ts'
import { markBlocked, markWell } from '../accounts/blocked.ts'
import type { Disconnect } from '../accounts/disconnect.ts'
import type { Grants } from '../accounts/grant.ts'
import { type ConversationAnswer, conversationRequest, judgeConversation } from '../drift/conversation.ts'
import { disconnectType } from '../drift/envelope.ts'
import { idOf } from '../events/define.ts'
import { backoffMs, retryAfterMs } from '../lib/backoff.ts'
import type { Look } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Entry } from '../storage/ports/entry.ts'
import type { Lease, Settlement } from '../storage/ports/inbox.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { watchLease } from './lease-watch.ts'
import { leftOf, noteRequest, type PendingLookup, pendingLookupsOf, withRequests } from './lookup.ts'
import { type InBody, type Learnt, mustAsk, openLearnt, type Resolved, resolve, sealLearnt } from './resolve.ts'
import type { SendNeeds } from './send-lane.ts'
import { endingOf, moreSevere, type Pause, unprobed } from './settle.ts'

export interface AskNeeds extends Omit<SendNeeds, 'wakeLookups'> {
  storage: Pick<Storage, 'inbox' | 'conversations' | 'lookup'>
  grants: Grants
  disconnect: Disconnect
  driftUrl: string
  /** Called when an answer made something ready to be sent. */
  wakeSending(): void
}

/** A conversation that Drift answers 404 for this long, and so often, will not appear any more. */
const missingMsMax = 3 * 24 * 3_600_000
/** Hours of backoff: a clock that is set forward by days does not make a conversation missing for days. */
const missingAnswersMin = 20
/** Lookups under way for one account; Drift documents no general limit, so this is modest. */
const lookupsMax = 4
/** Leases in a row that a lookup without an answer has stopped, before it is left to wait alone: half a minute. */
const failuresBeforeAlone = 5

/** `claimedAt`: a look at the clocks before the claim. */
export async function askLease(needs: AskNeeds, lease: Lease, claimedAt?: Look): Promise<void> {
  const { storage, catalogue, keyring, clock, random, log, accounts } = needs
  const startedAt = clock.monotonic()
  const leaving = lease.entries.filter(({ type }) => type === disconnectType)
  if (leaving.length > 0) return confirmDisconnect(needs, lease, leaving)

  const looks = { catalogue, keyring, conversations: storage.conversations }
  const resolved = await resolve(looks, lease.org, lease, lease)
  const answered = resolved.filter((one) => one.is !== 'asking')
  if (!(await storage.inbox.settle(lease, await Promise.all(answered.map((one) => settlementOf(needs, one)))))) return
  if (answered.length > 0) needs.wakeSending()
  const pendingLookups = pendingLookupsOf(resolved)
  const isOurs = watchLease({ ...needs, inbox: storage.inbox }, lease, claimedAt)
  const { pause, settlements } = await askAll(needs, lease, isOurs, pendingLookups)
  const now = clock.now()
  if (pause?.is === 'held') await markBlocked(accounts, lease.org, { reason: pause.reason }, now)
  const ending = pendingLookups.length > 0 ? endingOf(lease, pause, now, random) : unprobed(lease, now)
  const left = pendingLookups.flatMap((pendingLookup) => leftOf(pendingLookup, now, ending.readyAt))
  const leaseKept = await storage.inbox.settle(lease, [...settlements, ...left], ending)
  // Drift may have said while these lookups were under way that the account disconnected: that waits for neither backoff nor probe.
  if (pause && (await isStillAsked(storage, lease.org)))
    await storage.inbox.resume({ org: lease.org, lane: 'ask', destination: 0 }, now)
  if (leaseKept && !pause && pendingLookups.length > 0) await markWell(accounts, lease.org, now)
  log.info('lookups', {
    org: lease.org,
    entries: lease.entries.length,
    conversations: pendingLookups.length,
    outcome: pause ? `${pause.is}: ${pause.reason}` : 'done',
    leaseKept,
    durationMs: Math.round(clock.monotonic() - startedAt),
  })
}

/** `unanswered`: it may be Drift, it may be this conversation alone. */
type Outcome = 'settled' | { is: 'unanswered' | 'stopped'; pause: Pause }

/**
 * Looks up one after the other, a few at once; the first lookup that is not answered stops them all, and the lane tries
 * again from its beginning, so that the order stays. Only when that has happened several times in a row and Drift still
 * answers others does a lookup wait alone. One that is forbidden waits alone as soon as Drift answers another.
 */
async function askAll(
  needs: AskNeeds,
  lease: Lease,
  isOurs: () => Promise<boolean>,
  pendingLookups: PendingLookup[],
): Promise<{ pause?: Pause; settlements: Settlement[] }> {
  const patient = lease.failures < failuresBeforeAlone
  const unanswered: { pendingLookup: PendingLookup; pause: Pause }[] = []
  let stopped: Pause | undefined
  let settled = 0
  const next = pendingLookups.values()
  const askOn = async () => {
    for (const pendingLookup of next) {
      const outcome = await askOne(needs, lease, isOurs, pendingLookup)
      if (outcome === 'settled') settled++
      else if (outcome.is === 'stopped' || (patient && outcome.pause.is === 'later'))
        stopped = moreSevere(stopped, outcome.pause)
      else unanswered.push({ pendingLookup, pause: outcome.pause })
      if (stopped || (unanswered.length > 1 && settled === 0)) return
    }
  }
  const working = Array.from({ length: lookupsMax }, askOn)
  // When one fails, the others are waited for all the same: the lease is in use until they end.
  await Promise.allSettled(working)
  await Promise.all(working)
  const passing = unanswered.find(({ pause }) => pause.is === 'later') ?? unanswered[0]
  const pause = stopped ?? (settled === 0 ? passing?.pause : undefined)
  // Where all that was asked is forbidden, the next probe takes another: this one may be forbidden alone.
  if (pause && (stopped || pause.is === 'later')) return { pause, settlements: [] }
  const waiting = unanswered.map(async ({ pendingLookup, pause: { reason } }) => {
    const again = ({ entry }: Resolved) => (pause ? lastInQueue(needs, entry, reason) : askAgain(needs, entry, reason))
    return withRequests(pendingLookup, await Promise.all(pendingLookup.waiting.map(again)))
  })
  return { ...(pause ? { pause } : {}), settlements: (await Promise.all(waiting)).flat() }
}

async function askOne(
  needs: AskNeeds,
  lease: Lease,
  isOurs: () => Promise<boolean>,
  pendingLookup: PendingLookup,
): Promise<Outcome> {
  const { clock, grants } = needs
  const stopped = (pause: Pause): Outcome => ({ is: 'stopped', pause })
  let access = await grants.access(lease.org)
  for (let tries = 0; ; tries++) {
    if (access.is === 'dead' || access.is === 'unrenewable') return stopped({ is: 'held', reason: 'grant_dead' })
    if (access.is === 'later') return stopped(access)
    if (!(await isOurs())) return stopped({ is: 'later', reason: 'lease_lost' })
    const at = clock.now()
    const begunAt = clock.monotonic()
    const request = conversationRequest(needs.driftUrl, pendingLookup.conversationId, access.token)
    const answered = await needs.send(request)
    const answer = judgeConversation(answered)
    const ms = Math.round(clock.monotonic() - begunAt)
    await noteRequest(needs, lease, pendingLookup, { at, ms, answer, answered, secrets: [access.token, request.url] })
    if (answer.is === 'unmakeable') return stopped({ is: 'held', reason: 'drift_request_invalid' })
    if (answer.is === 'later') {
      const afterMs = retryAfterMs(answer.retryAfter, clock.now())
      const pause = { is: 'later' as const, reason: answer.reason, ...(afterMs === undefined ? {} : { afterMs }) }
      return answered.status === 429 ? stopped(pause) : { is: 'unanswered', pause }
    }
    if (answer.is === 'missing' || answer.is === 'found') {
      await settleLookup(needs, lease, pendingLookup, answer.is === 'found' ? answer.conversation : undefined)
      return 'settled'
    }
    if (answer.is === 'unauthorised') {
      if (tries > 0) return stopped({ is: 'held', reason: 'drift_token_refused' })
      access = await grants.renewed(lease.org, access.token)
      continue
    }
    // A new token may help; if it does not, this need not be the end of the grant.
    const renewed = tries > 0 ? undefined : await grants.renewedOnce(lease.org, access.token)
    if (renewed?.is !== 'token') return { is: 'unanswered', pause: pauseOf(answer) }
    access = renewed
  }
}

function pauseOf(answer: Extract<ConversationAnswer, { is: 'forbidden' | 'unclear' }>): Pause {
  return answer.is === 'forbidden' ? { is: 'held', reason: 'drift_forbidden' } : { is: 'later', reason: answer.reason }
}

async function settleLookup(
  needs: AskNeeds,
  lease: Lease,
  pendingLookup: PendingLookup,
  found: JsonObject | undefined,
): Promise<void> {
  const { storage } = needs
  const contactId = idOf(found?.contactId)
  if (contactId !== undefined) {
    await storage.conversations.remember(lease.org, new Map([[pendingLookup.conversationId, contactId]]), lease)
  }
  const settlements = await Promise.all(
    pendingLookup.waiting.map((one) => {
      if (!found) return missing(needs, one.entry)
      if (contactId === undefined) return askAgain(needs, one.entry, 'conversation_without_contact')
      const conversation = mustAsk(one.page, one.data) ? { conversation: found } : {}
      const whose = one.page.whose(one.data)
      return known(needs, one.entry, {
        contactId: whose && 'contactId' in whose ? whose.contactId : contactId,
        ...conversation,
      })
    }),
  )
  await storage.inbox.settle(lease, withRequests(pendingLookup, settlements))
  needs.wakeSending()
}

async function settlementOf(needs: AskNeeds, one: Resolved): Promise<Settlement> {
  if (one.is === 'quarantined') {
    return { id: one.entry.id, to: 'quarantined', at: needs.clock.now(), reason: one.reason }
  }
  return one.is === 'known' ? known(needs, one.entry, one.known) : askAgain(needs, one.entry, 'asking')
}

async function known(needs: AskNeeds, entry: InBody, learnt: Learnt): Promise<Settlement> {
  const bytes = await sealLearnt(needs.keyring, entry, learnt)
  return { id: entry.id, to: 'waiting', at: needs.clock.now(), contact: learnt.contactId!, known: bytes }
}

async function missing(needs: AskNeeds, entry: InBody): Promise<Settlement> {
  const now = needs.clock.now()
  const { missingSince: since = now } = await openLearnt(needs.keyring, entry)
  // Not later than now, by a clock that has been set back since.
  const missingSince = Math.min(since, now)
  if (now - missingSince >= missingMsMax && entry.failures + 1 >= missingAnswersMin)
    return { id: entry.id, to: 'dead', at: now, reason: 'conversation_missing' }
  const again = await askAgain(needs, entry, 'conversation_missing')
  return { ...again, known: await sealLearnt(needs.keyring, entry, { missingSince }) }
}

async function lastInQueue({ clock }: AskNeeds, { id }: InBody, reason: string): Promise<Settlement> {
  const now = clock.now()
  return { id, to: 'asking', at: now, dueAt: now, reason }
}

async function askAgain({ clock, random }: AskNeeds, entry: InBody, reason: string): Promise<Settlement> {
  const now = clock.now()
  return { id: entry.id, to: 'asking', at: now, dueAt: now + backoffMs(entry.failures + 1, random), reason }
}

async function confirmDisconnect(needs: AskNeeds, lease: Lease, leaving: Entry[]): Promise<void> {
  const { storage, disconnect, clock, random, log } = needs
  const startedAt = clock.monotonic()
  const saidAt = Math.min(...leaving.map(({ receivedAt }) => receivedAt))
  const outcome = await disconnect.confirm(lease.org, saidAt)
  const now = clock.now()
  const pause: Pause | undefined = outcome === 'later' ? { is: 'later', reason: 'disconnect_unconfirmed' } : undefined
  const done = ({ id }: Entry): Settlement => ({ id, to: 'ignored', at: now, reason: 'disconnected' })
  const settlements = pause ? [] : leaving.map(done)
  // After a disconnect nothing of the account is left to settle, and the lease went with it.
  await storage.inbox.settle(lease, settlements, endingOf(lease, pause, now, random))
  log.info('disconnect', { org: lease.org, outcome, durationMs: Math.round(clock.monotonic() - startedAt) })
}
