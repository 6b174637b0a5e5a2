/** A receiver of alerts of our own: takes webhooks as Standard Webhooks says, checks their signature, and shows them to people. */
import { createHmac } from 'node:crypto'
import { type Clock, systemClock } from '../lib/clock.ts'
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import { clockTime, html, page, table } from './page.ts'
import { openScripts, type Script } from './script.ts'
import { type Action, listen, type Received, type Reply } from './server.ts'
import { openWaiting, waitMsMax } from './waiting.ts'

/** An alert as it came in. */
export interface AlertReceived {
  /** `webhook-id`; the same at each attempt. */
  id: string
  /** `alert.raised`, `alert.recovered`, `alert.test`; of Slack's form `slack`. */
  type: string
  at: number
  /** False with another signature than the secret makes; undefined of Slack's form, and while no secret is known. */
  isSigned: boolean | undefined
  body: JsonObject
}

export interface AlertReceiver {
  /** Where alerts go. */
  readonly url: string
  /** What they are signed with, once it is known. */
  secret: string | undefined
  /** Answered with a success, each id once. */
  readonly received: readonly AlertReceived[]
  readonly requests: readonly Received[]
  /** What the next requests get. */
  script(script: Script<Action> | undefined): void
  waitFor(
    isWanted: (received: readonly AlertReceived[]) => boolean,
    timeoutMs?: number,
  ): Promise<readonly AlertReceived[]>
  close(): Promise<void>
}

export async function startAlertReceiver({
  clock = systemClock,
  port = 0,
}: {
  clock?: Clock
  port?: number
} = {}): Promise<AlertReceiver> {
  const requests: Received[] = []
  const received: AlertReceived[] = []
  const scripts = openScripts<Action>()
  const waiting = openWaiting(clock)

  function take(request: Received): Reply {
    const read = readText(request.body)
    const body = read.ok && isObject(read.value) ? read.value : {}
    const id = String(request.headers['webhook-id'] ?? `slack-${requests.length}`)
    const isSlacks = request.headers['webhook-id'] === undefined
    const isSigned = receiver.secret === undefined || isSlacks ? undefined : isRight(request, receiver.secret)
    if (isSigned === false) return { status: 401, body: 'signature_wrong' }
    const type = typeof body.type === 'string' ? body.type : 'slack'
    if (!received.some((one) => one.id === id)) received.push({ id, type, at: request.receivedAt, isSigned, body })
    return { status: 204 }
  }

  const listener = await listen({
    clock,
    port,
    requests,
    respond: (request) => ({ action: scripts.next(request), answer: () => take(request) }),
    pageOf: ({ path }) => (path === '/' ? alertsPage(received, requests) : undefined),
    changed: waiting.changed,
  })
  const receiver: AlertReceiver = {
    url: `${listener.url}/alerts`,
    secret: undefined,
    received,
    requests,
    script: (script) => scripts.set(/^/, script),
    async waitFor(isWanted, timeoutMs = waitMsMax) {
      await waiting.until(
        () => isWanted(received),
        timeoutMs,
        () => received.map(({ type }) => type).join(', '),
      )
      return received
    },
    async close() {
      waiting.close()
      await listener.close()
    },
  }
  return receiver
}

/** As Standard Webhooks 1.0 has it. */
function isRight({ headers, body }: Received, secret: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}

function alertsPage(received: readonly AlertReceived[], requests: readonly Received[]): Reply {
  const rows = received.map(({ at, type, body }) => [clockTime(at), type.replace('alert.', ''), textsOf(body)])
  const calls = requests.map(({ receivedAt, method, path, status }) => [
    clockTime(receivedAt),
    `${method} ${path}`,
    status,
  ])
  const content = [
    html`<p>What the service sends to this address, when an account needs attention and when that is over.</p>\n`,
    table('Alerts', ['received', 'what', 'says'], rows),
    table('Requests', ['received', 'request', 'answered'], calls),
  ]
  return page('Receiver of alerts', html`${content}`)
}

function textsOf({ data, text }: JsonObject): string {
  if (typeof text === 'string') return text
  const alerts = data !== undefined && isObject(data) && Array.isArray(data.alerts) ? data.alerts : []
  return alerts.flatMap((alert) => (isObject(alert) ? [String(alert.text)] : [])).join(' ') || 'a test'
}
