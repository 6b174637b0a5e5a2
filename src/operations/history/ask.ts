/**
 * The lookups of past events at Drift: at the pace of docs/history.md, behind live lookups, and repeated until Drift
 * answers. A lookup ends with what Drift says, or with why it cannot be made any more.
 */
import type { Grants } from '../../accounts/grant.ts'
import { type ContactAnswer, contactRequest, judgeContact } from '../../drift/contact.ts'
import { type ConversationAnswer, conversationRequest, judgeConversation } from '../../drift/conversation.ts'
import {
  type CountAnswer,
  conversationsRequest,
  judgeList,
  judgeReport,
  type ListAnswer,
  meetingsRequest,
  type Next,
  reportRequest,
} from '../../drift/lists.ts'
import { backoffMs, probeMsMax, retryAfterMs } from '../../lib/backoff.ts'
import { type Clock, pause } from '../../lib/clock.ts'
import { openPace, type Pace, type PaceLimits, type PaceState } from '../../lib/pace.ts'
import type { Random } from '../../lib/random.ts'
import type { Answered, Outgoing, Send } from '../../lib/request.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Lookup } from '../../storage/ports/lookup.ts'

/**
 * At most 4 requests at once and 5 a second for each account. Ten percent are left for what arrives closer together
 * than it was sent.
 */
export const requestLimits: PaceLimits = { atOnceMax: 4, everyMs: 220 }
/** Drift's own limit: 60 calls of its reports a minute. */
export const reportLimits: PaceLimits = { atOnceMax: 1, everyMs: 1_100 }

/** The grant is not good for it any more, or Drift says that it does not reach that far. */
export type Barred = { is: 'no_grant'; reason: string } | { is: 'forbidden' }
/** Drift failed at this lookup again and again, answered others meanwhile, and answers them now. */
export type Unanswered = { is: 'unanswered' }

type Passing = 'later' | 'unclear' | 'unauthorised' | 'unmakeable'
export type Told<Answer extends { is: string }> = Exclude<Answer, { is: Passing }> | Barred

export interface HistoryOfDrift {
  conversations(limit: number, next?: Next): Promise<Told<ListAnswer>>
  meetings(from: number, to: number): Promise<Told<ListAnswer>>
  contact(contactId: string): Promise<Told<ContactAnswer> | Unanswered>
  conversation(conversationId: string): Promise<Told<ConversationAnswer> | Unanswered>
  /** How many conversations were updated on these days. */
  count(from: string, to: string): Promise<Told<CountAnswer>>
  /** What another process that goes on with the job must know. */
  pace(): { requests: PaceState; reports: PaceState }
  /** From the beginning of one request to that of the next, at the present speed. */
  everyMs(): number
}

export interface AskNeeds {
  grants: Pick<Grants, 'access' | 'renewed'>
  lookup: Pick<Lookup, 'lanes'>
  send: Send
  driftUrl: string
  clock: Clock
  random: Random
}

/** A lease of a job lasts 15 seconds: a process that stood still finds out in time that another one goes on. */
const confirmEveryMs = 5_000

interface Reading {
  from?: { requests: PaceState; reports: PaceState } | undefined
  /** Rejects when another process does this work by now. */
  confirm(): Promise<void>
  /**
   * Hears why Drift answers nothing, once a request has failed three times with no answer to another meanwhile; and undefined
   * when Drift answers again.
   */
  failing(reason: string | undefined): void
  /** Nothing begins after it; a request under way rejects with its reason. */
  signal: AbortSignal
}

export function historyOfDrift(needs: AskNeeds, org: Org, { from, confirm, failing, signal }: Reading): HistoryOfDrift {
  const { grants, send, driftUrl, clock, random } = needs
  // mutant: forgets, when it goes on for another process, that Drift wanted fewer requests
  const requests = openPace({ clock, limits: requestLimits, from: from?.requests, signal })
  const reports = openPace({ clock, limits: reportLimits, from: from?.reports, signal })
  const behindLive = behind(needs, org, signal)
  let said: string | undefined
  let confirmedAt = clock.monotonic()
  let answeredAt = Number.NEGATIVE_INFINITY

  function say(reason: string | undefined): void {
    if (reason === said) return
    said = reason
    failing(reason)
  }

  async function ask<Answer extends { is: string; reason?: string; retryAfter?: string }>(
    paces: readonly Pace[],
    make: (token: string) => Outgoing,
    judge: (answered: Answered) => Answer,
    isLookUp = false,
  ): Promise<Told<Answer> | Unanswered> {
    let refused: string | undefined
    const begunAt = clock.monotonic()
    let failedAt = begunAt
    for (let failures = 0; ; ) {
      const access = refused === undefined ? await grants.access(org) : await grants.renewed(org, refused)
      if (access.is === 'dead' || access.is === 'unrenewable') return { is: 'no_grant', reason: 'grant_dead' }
      let reason: string
      let restMs = 0
      if (access.is === 'later') reason = access.reason
      else {
        await behindLive()
        const begun: (() => void)[] = []
        for (const pace of paces) begun.push(await pace.begin())
        const ended = () => {
          for (const end of begun) end()
        }
        const answered = await (isLate() ? confirmed() : Promise.resolve())
          .then(() => send(make(access.token)))
          .finally(ended)
        signal.throwIfAborted()
        const answer = judge(answered)
        if (answer.is === 'unmakeable') return { is: 'no_grant', reason: 'drift_request_invalid' }
        if (answer.is === 'unauthorised') {
          if (refused !== undefined) return { is: 'no_grant', reason: 'drift_token_refused' }
          refused = access.token
          continue
        }
        if (answer.is !== 'later' && answer.is !== 'unclear') {
          say(undefined)
          answeredAt = clock.monotonic()
          return answer as Told<Answer>
        }
        reason = answer.reason ?? 'drift_unreadable'
        restMs = retryAfterMs(answer.retryAfter, clock.now()) ?? 0
        if (answered.status === 429) for (const pace of paces) pace.refused(restMs)
      }
      failures += 1
      if (failures >= failuresShown && answeredAt <= failedAt) say(reason)
      failedAt = clock.monotonic()
      const isAlone = isLookUp && failures >= lookUpsMax && answeredAt > begunAt
      if (isAlone && access.is === 'token' && (await answersNow(access.token))) return { is: 'unanswered' }
      await pause(clock, Math.min(Math.max(restMs, backoffMs(failures, random)), probeMsMax), signal)
      signal.throwIfAborted()
    }
  }

  /** Whether an outage has begun meanwhile: then the lookup waits for its end. */
  async function answersNow(token: string): Promise<boolean> {
    const end = await requests.begin()
    const answered = await send(conversationsRequest(driftUrl, token, 1)).finally(end)
    signal.throwIfAborted()
    return judgeList(answered).is === 'page'
  }

  // mutant: asks Drift on although another process does
  function isLate(): boolean {
    return clock.monotonic() - confirmedAt > confirmEveryMs
  }

  async function confirmed(): Promise<void> {
    const at = clock.monotonic()
    await confirm()
    confirmedAt = at
  }

  async function askList<Answer extends { is: string; reason?: string; retryAfter?: string }>(
    ...request: [paces: readonly Pace[], make: (token: string) => Outgoing, judge: (answered: Answered) => Answer]
  ): Promise<Told<Answer>> {
    return (await ask(...request)) as Told<Answer>
  }

  return {
    conversations: (limit, next) =>
      askList([requests], (token) => conversationsRequest(driftUrl, token, limit, next), judgeList),
    meetings: (since, until) =>
      askList([requests], (token) => meetingsRequest(driftUrl, token, since, until), judgeList),
    contact: (id) => ask([requests], (token) => contactRequest(driftUrl, id, token), judgeContact, true),
    conversation: (id) => ask([requests], (token) => conversationRequest(driftUrl, id, token), judgeConversation, true),
    count: (since, until) =>
      askList([reports, requests], (token) => reportRequest(driftUrl, token, since, until), judgeReport),
    pace: () => ({ requests: requests.state(), reports: reports.state() }),
    everyMs: requests.everyMs,
  }
}

/** So often one contact or conversation is looked up, while Drift answers other lookups: about a minute. */
const lookUpsMax = 6

/** A request that failed so often, about four seconds long, is worth saying. */
const failuresShown = 3

/** What the store says of live look-ups is looked at this often. */
const lookEveryMs = 250
/** However many live look-ups there are, history asks once in this time: it ends at last. */
const patienceMs = 10_000

/** Resolves when no live look-up of the account is due or under way, on whichever replica. */
function behind({ lookup, clock }: AskNeeds, org: Org, signal: AbortSignal): () => Promise<void> {
  let lookedAt = Number.NEGATIVE_INFINITY
  let isBusy = false

  async function look(): Promise<void> {
    const lane = (await lookup.lanes(org)).find((one) => one.lane === 'ask')
    const now = clock.now()
    const isDue = lane?.readyAt !== undefined && lane.readyAt <= now && lane.hold === undefined
    isBusy = isDue || (lane?.leaseUntil !== undefined && lane.leaseUntil > now)
    lookedAt = clock.monotonic()
  }

  return async () => {
    const goesAt = clock.monotonic() + patienceMs
    for (;;) {
      if (clock.monotonic() >= lookedAt + lookEveryMs) await look()
      if (!isBusy || clock.monotonic() >= goesAt) return
      await pause(clock, lookEveryMs, signal)
      signal.throwIfAborted()
    }
  }
}
