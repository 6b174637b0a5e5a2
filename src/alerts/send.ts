/**
 * Sends the stored messages: each by one replica, and again until the receiver accepts it, as events are. Every attempt
 * carries the same id. Nothing here stands between a webhook and Segment.
 */
import type { Keyring } from '../accounts/keyring.ts'
import { backoffMs, retryAfterMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Answered, Send } from '../lib/request.ts'
import type { AlertAttempt, AlertRecipient, MessageLease, MessageOutcome } from '../storage/ports/alerts.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { readBody } from './body.ts'
import { confirmationToken } from './confirm.ts'
import type { SendMail } from './mail.ts'
import { confirmationOf, mailOf, slackRequest, type Writing, webhookRequest } from './message.ts'
import { keptMs, mailsADay, openRecipient } from './recipients.ts'

export interface SendNeeds {
  storage: Pick<Storage, 'alerts'>
  keyring: Keyring
  clock: Clock
  random: Random
  log: Log
  /** To addresses that admins gave. */
  sendPublic: Send
  /** To the operator's own address. */
  sendOperator: Send
  operatorUrl: string | undefined
  mail: SendMail | undefined
  /** Where browsers reach the service. */
  publicUrl(): string
}

const dayMs = 24 * 3_600_000
const leaseMs = 60_000
/** After a week an alert that was not accepted is not worth sending. */
const patienceMs = 7 * dayMs
/** Requests in progress at once: a receiver that hangs holds one for its deadline. */
export const flightsMax = 8

interface Attempted {
  status: number
  answer?: string
  retryAfterMs?: number | undefined
  /** Trying again would not help. */
  isFinal?: true
}

/** Claims one message that is due and begins to send it; undefined when none is due. The inner promise never rejects. */
export function sending(needs: SendNeeds) {
  const { storage, keyring, clock, random, log, mail, publicUrl } = needs
  const { alerts } = storage

  return async function next(): Promise<{ ended: Promise<void> } | undefined> {
    const now = clock.now()
    const limit = { channel: 'email', since: now - dayMs, most: mailsADay } as const
    const lease = await alerts.claim(now, now + leaseMs, limit)
    return lease && { ended: work(lease) }
  }

  async function work(lease: MessageLease): Promise<void> {
    const { message } = lease
    const { org, recipient, channel, kind, tries } = message
    const at = clock.now()
    const begun = clock.monotonic()
    try {
      const attempted = await attempt(lease)
      const ms = Math.round(clock.monotonic() - begun)
      const { status, answer } = attempted
      const made: AlertAttempt = { at, ms, status, ...(answer === undefined ? {} : { answer }) }
      const outcome = outcomeOf(lease, attempted, made)
      const isHeld = await alerts.settle(lease, outcome)
      const fields = { org, recipient, channel, kind, status, reason: answer, tries: tries + 1, durationMs: ms }
      if (!isHeld) log.warn('alert_lease_lost', fields)
      else if (isTaken(status)) log.info('alert_sent', fields)
      else log.warn('alert_not_sent', { ...fields, outcome: outcome.is })
    } catch (error) {
      // The lease runs out, and it is sent again under its id.
      log.error('alert_failed', { org, recipient, channel, code: codeOf(error) })
    }
  }

  function outcomeOf(
    { message }: MessageLease,
    { status, retryAfterMs: asked, isFinal }: Attempted,
    made: AlertAttempt,
  ) {
    const now = clock.now()
    const isOver = isFinal || message.kind === 'test' || now - message.createdAt > patienceMs
    const ended = (end: 'sent' | 'failed'): MessageOutcome => ({
      is: 'ended',
      attempt: made,
      end,
      keepUntil: now + keptMs,
    })
    if (isTaken(status)) return ended('sent')
    // mutant: sends an alert once, accepted or not
    if (isOver) return ended('failed')
    const waitMs = asked ?? backoffMs(message.tries + 1, random)
    return { is: 'later', attempt: made, dueAt: now + waitMs } as const
  }

  async function attempt({ message }: MessageLease): Promise<Attempted> {
    const body = readBody(message.body)
    if (!body) return { status: 0, answer: 'message_unreadable', isFinal: true }
    const writing: Writing = { message, body, consoleUrl: `${publicUrl()}/console` }
    if (message.org === '') {
      if (!needs.operatorUrl) return { status: 0, answer: 'no_operator_url', isFinal: true }
      return judged(await needs.sendOperator(webhookRequest(writing, needs.operatorUrl, undefined, clock.now())))
    }
    const recipient = (await alerts.recipients(message.org)).find(({ id }) => id === message.recipient)
    if (!recipient) return { status: 0, answer: 'no_recipient', isFinal: true }
    return attemptAt(recipient, writing)
  }

  async function attemptAt(recipient: AlertRecipient, writing: Writing): Promise<Attempted> {
    const opened = await openRecipient(keyring, recipient)
    if (!opened) return { status: 0, answer: 'sealed_unreadable', isFinal: true }
    const { address, secret } = opened
    if (recipient.channel !== 'email') {
      const isSlack = recipient.channel === 'slack'
      const request = isSlack ? slackRequest(writing, address) : webhookRequest(writing, address, secret, clock.now())
      return judged(await needs.sendPublic(request))
    }
    if (!mail) return { status: 0, answer: 'no_mail' }
    const { is } = writing.body
    // mutant: sends alerts to an address whose owner has not confirmed it
    if (is !== 'confirm' && recipient.confirmedAt === undefined)
      return { status: 0, answer: 'unconfirmed', isFinal: true }
    const link = `${publicUrl()}/alerts/confirm/${confirmationToken(keyring, recipient)}`
    const text = is === 'confirm' ? confirmationOf(link) : mailOf(writing)
    return mail({ id: writing.message.id, to: address, ...text })
  }

  function judged(answered: Answered): Attempted {
    if (answered.failure !== undefined) return { status: 0, answer: answered.failure }
    const { status, headers, body } = answered
    // A code such as Slack's invalid_token, and never more: a receiver may answer with what it was sent.
    const word = isTaken(status) ? undefined : /^(?=.{1,40}$)[a-z]+(_[a-z]+)*$/.exec(body.trim())?.[0]
    return {
      status,
      ...(word === undefined ? {} : { answer: word }),
      retryAfterMs: retryAfterMs(headers['retry-after'], clock.now()),
      // As Standard Webhooks has it: the receiver is gone for good.
      ...(status === 410 ? { isFinal: true } : {}),
    }
  }
}

/** A redirect is not followed, so it does not count as accepted. */
export function isTaken(status: number): boolean {
  return status >= 200 && status < 300
}
