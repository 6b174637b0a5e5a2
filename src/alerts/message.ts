/** One message in the form that each channel takes. */
import { createHmac } from 'node:crypto'
import type { Outgoing } from '../lib/request.ts'
import type { Message } from '../storage/ports/alerts.ts'
import { type Body, type Item, whose } from './body.ts'
import { sentencesOf } from './words.ts'

/** For the whole answer of a receiver; after that it is tried again. */
export const deadlineMs = 10_000

/** What every channel needs: the message, its content, and where the console is. */
export interface Writing {
  message: Pick<Message, 'id' | 'org' | 'createdAt'>
  body: Body
  consoleUrl: string
}

/**
 * A POST as Standard Webhooks 1.0 has it: the id is the same on every attempt, the time is the attempt's, and the signature is
 * over both and the body. The operator's recipient has no secret, and no signature.
 */
export function webhookRequest(writing: Writing, url: string, secret: string | undefined, now: number): Outgoing {
  const { id } = writing.message
  const body = JSON.stringify(payloadOf(writing))
  const timestamp = String(Math.floor(now / 1_000))
  return {
    method: 'POST',
    url,
    body,
    deadlineMs,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'drift-segment-source',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(secret === undefined ? {} : { 'webhook-signature': signature(secret, id, timestamp, body) }),
    },
  }
}

/** `secret`: `whsec_` and base64, as its owner has it. */
export function signature(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

function payloadOf({ message, body, consoleUrl }: Writing) {
  return {
    type: `alert.${body.is}`,
    timestamp: new Date(message.createdAt).toISOString(),
    data: {
      account: message.org === '' ? null : message.org,
      alerts: body.items.map((item) => {
        const { text, todo } = sentencesOf(item, audienceOf(message))
        const { rule, change: state, reason, destination, count, accounts, accountsInAll } = item
        const since = new Date(item.since).toISOString()
        return { rule, state, reason, destination, count, since, accounts, accountsInAll, text, todo }
      }),
      console: consoleUrl,
    },
  }
}

/** As Slack's incoming webhooks take it, and those of Mattermost and others that follow them. */
export function slackRequest(writing: Writing, url: string): Outgoing {
  const body = JSON.stringify({ text: `${headlineOf(writing)}\n${textOf(writing)}` })
  return { method: 'POST', url, body, deadlineMs, headers: { 'content-type': 'application/json' } }
}

export function mailOf(writing: Writing): { subject: string; text: string } {
  return {
    subject: headlineOf(writing),
    text: `${textOf(writing)}\n\nYou get this because your address was entered for alerts and confirmed. An admin can remove it in the console, under Alerts.\n`,
  }
}

export function confirmationOf(link: string): { subject: string; text: string } {
  return {
    subject: 'Drift to Segment: confirm that you want alerts',
    text: `Your address was entered to receive alerts about the connection from Drift to Segment.\n\nTo confirm that you want them, open this page within three days and press the button:\n${link}\n\nWithout that, no alerts are sent to you.\n`,
  }
}

function headlineOf({ message, body }: Writing): string {
  const [first] = body.items
  const more = body.items.length > 1 ? `, and ${body.items.length - 1} more` : ''
  const what = first ? `${sentencesOf(first, audienceOf(message)).title}${more}` : 'this is a test'
  return `Drift to Segment: ${what} (${whose(message.org)})`
}

function textOf({ message, body, consoleUrl }: Writing): string {
  const about = body.items.map((item) => paragraphOf(item, message))
  const test = body.is === 'test' ? ['This is a test: alerts arrive here.'] : []
  const where = message.org === '' ? [] : [`The console: ${consoleUrl}`]
  return [...test, ...about, ...where].join('\n\n')
}

function paragraphOf(item: Item, message: Pick<Message, 'org'>): string {
  const { text, todo } = sentencesOf(item, audienceOf(message))
  const { accounts = [], accountsInAll = accounts.length, since } = item
  const named = accounts.map(({ org, reason }) => (reason === undefined ? org : `${org} (${reason})`)).join(', ')
  const others = accountsInAll > accounts.length ? ` and ${accountsInAll - accounts.length} more` : ''
  const ofAccounts = accounts.length === 0 ? [] : [`Accounts: ${named}${others}.`]
  const when = `Since ${new Date(since).toISOString().slice(0, 16).replace('T', ' ')} UTC.`
  return [
    text,
    ...ofAccounts,
    ...(item.change === 'raised' ? [when] : []),
    ...(todo ? [`What to do: ${todo}`] : []),
  ].join(' ')
}

function audienceOf({ org }: Pick<Message, 'org'>): { toOperator: boolean } {
  return { toOperator: org === '' }
}
