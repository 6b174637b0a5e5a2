/** Drift's side of a webhook: posts it, with the token in body and header, and keeps a ledger of what came back. */

import { eventsFolder, fixtureTypes, readFixture } from '../events/fixtures.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { type DriftState, digitsOf, orgOf, remember } from './drift-state.ts'
import { type Variation, vary } from './webhook.ts'

export interface SendOptions extends Variation {
  /** The request URL of the app. */
  to: string
  /** Another value for `X-Verification-Token`; null: no such header. */
  headerToken?: string | null
  /** Another value for the body's `token`; null: no such field. */
  bodyToken?: string | null
  headers?: Record<string, string>
}

export interface SendAllOptions extends SendOptions {
  /** Default: every event that has a fixture. */
  types?: readonly string[]
  /** Each is delivered so many times: Drift promises no "exactly once". */
  repeat?: number
  /** Delivers in an order left to chance. */
  shuffle?: boolean
}

export interface Sent {
  readonly type: string
  readonly to: string
  /** The body as it was posted. */
  readonly body: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** What the app answered; status 0 and the failure as `answer` when it did not. */
  status: number
  answer: string
}

export interface WebhookAnswer {
  status: number
  body: string
}

export interface WebhookSender {
  readonly sent: readonly Sent[]
  send(event: string | JsonObject, options: SendOptions): Promise<WebhookAnswer>
  /** One after the other; the answers come in the order of sending. */
  sendAll(options: SendAllOptions): Promise<WebhookAnswer[]>
}

/** Drift's own patience is not documented; ten seconds is what senders of webhooks commonly have. */
const deadlineMs = 10_000

export function openWebhookSender(state: DriftState, send: Send, folder: URL = eventsFolder): WebhookSender {
  const sent: Sent[] = []

  async function post(event: string | JsonObject, options: SendOptions): Promise<WebhookAnswer> {
    const webhook = await make(state, event, options, folder)
    const { to, headerToken = state.settings.verificationToken } = options
    const headers = {
      'content-type': 'application/json',
      ...(headerToken === null ? {} : { 'X-Verification-Token': headerToken }),
      ...options.headers,
    }
    const body = JSON.stringify(webhook)
    const record: Sent = { type: String(webhook.type), to, body, at: state.clock.now(), status: 0, answer: '' }
    sent.push(record)
    const answered = await send({ method: 'POST', url: to, headers, body, deadlineMs })
    record.status = answered.status
    record.answer = answered.failure === undefined ? answered.body : answered.failure
    return { status: record.status, body: record.answer }
  }

  return {
    sent,
    send: post,
    async sendAll({ types, repeat = 1, shuffle = false, ...options }) {
      const once = types ?? (await fixtureTypes(folder))
      const all = Array.from({ length: repeat }, () => once).flat()
      const answers: WebhookAnswer[] = []
      for (const type of shuffle ? shuffled(all, state.random) : all) answers.push(await post(type, options))
      return answers
    },
  }
}

/** The body to post. What it is about is made known to its account, so that a look-up finds it. */
async function make(
  state: DriftState,
  event: string | JsonObject,
  options: SendOptions,
  folder: URL,
): Promise<JsonObject> {
  const fixture = typeof event === 'string' ? await readFixture(event, folder) : { drift: event, segment: {} }
  const { drift, conversation } = vary(fixture, options)
  const orgId = Number(digitsOf(drift.orgId))
  if (conversation && Number.isSafeInteger(orgId)) remember(orgOf(state, orgId).conversations, conversation)
  const { bodyToken = state.settings.verificationToken } = options
  if (bodyToken !== null) return { ...drift, token: bodyToken }
  const { token: _, ...bare } = drift
  return bare
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items]
  for (let left = shuffled.length - 1; left > 0; left--) {
    const at = Math.floor(random.fraction() * (left + 1))
    const swapped = shuffled[left]!
    shuffled[left] = shuffled[at]!
    shuffled[at] = swapped
  }
  return shuffled
}
