/** The log of messages and answers in words, for the console and the command line alike. */
import { explain } from '../operations/reasons.ts'
import type { Channel, Message } from '../storage/ports/alerts.ts'
import { readBody } from './body.ts'
import { sentencesOf } from './words.ts'

export interface MessageShown {
  id: string
  /** When it was made, as ISO 8601 has it. */
  at: string
  channel: Channel
  recipient: string
  kind: Message['kind']
  says: string
  became: string
  /** When it is tried again. */
  nextAt?: string
  end: Message['end'] | 'waiting'
  tries: number
  status?: number
}

const channelNames: Readonly<Record<Channel, string>> = { webhook: 'Webhook', slack: 'Slack', email: 'E-mail' }

export function channelName(channel: Channel): string {
  return channelNames[channel]
}

export function shownMessage(message: Message): MessageShown {
  const { id, createdAt, channel, recipient, kind, end = 'waiting', tries, last, dueAt } = message
  return {
    id,
    at: new Date(createdAt).toISOString(),
    channel,
    recipient,
    kind,
    says: saysOf(message),
    became: whatBecame(message),
    end,
    tries,
    ...(last ? { status: last.status } : {}),
    ...(dueAt === undefined || tries === 0 ? {} : { nextAt: new Date(dueAt).toISOString() }),
  }
}

function saysOf({ org, kind, body }: Message): string {
  if (kind === 'test') return 'a test'
  if (kind === 'confirm') return 'asked the recipient to confirm'
  const items = readBody(body)?.items ?? []
  return (
    items.map((item) => sentencesOf(item, { toOperator: org === '' }).title).join('; ') ||
    'written by another version of the service'
  )
}

/** In half a sentence, with the answer of the receiver. */
export function whatBecame({ end, last, tries }: Message): string {
  if (end === 'sent')
    return `the receiver accepted it${tries > 1 ? ` after ${tries} attempts` : ''} (${answerOf(last)})`
  if (end === 'removed') return 'not sent: its recipient was removed'
  if (end === 'failed') return `not sent: ${answerOf(last)}`
  if (tries === 0) return 'waits to be sent'
  return `not accepted yet (${answerOf(last)})`
}

/** Words for the codes of failures. */
const words: Readonly<Record<string, string>> = {
  ADDRESS_REFUSED: 'the address does not lead to the public internet alone, so nothing was sent',
  ...named(['TIMEOUT', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'], 'no answer came in time'),
  ...named(['ENOTFOUND', 'ENODATA'], 'its host is not known to the name servers: check the URL'),
  ...named(
    ['ESERVFAIL', 'ETIMEOUT', 'EAI_AGAIN'],
    'the name servers gave no answer about its host: check the URL, or try again',
  ),
  ECONNREFUSED: 'nothing accepts a connection at this URL: check it, and whether the receiver runs',
  STOPPED: 'the service was stopped meanwhile',
  no_mail: 'this service sends no mail',
  no_operator_url: 'the settings of the service have no OPERATOR_ALERT_URL',
  no_recipient: 'its recipient is not there any more',
  sealed_unreadable: 'the stored address does not open: enter it again',
  unconfirmed: 'the address was not confirmed',
  message_unreadable: 'another version of the service wrote it',
  EENVELOPE: 'the mail server refused the address',
  EAUTH: 'the mail server refused the user name or password of this service',
}

function answerOf(last: Message['last']): string {
  if (!last) return 'no answer'
  const { status, answer } = last
  const said = answer === undefined ? undefined : (words[answer] ?? (status === 0 ? failureSaid(answer) : answer))
  if (status === 0) return said ?? 'no answer'
  return `the answer was ${status}${said === undefined ? '' : ` ${said}`}`
}

/** What a code of the system or of TLS means; the code is told where it alone says more. */
function failureSaid(code: string): string {
  const { means } = explain(code)
  if (code.startsWith('TLS_')) return means
  return /^[A-Z0-9_]+$/.test(code) ? `the receiver could not be reached, or hung up (${code})` : code
}

function named(codes: readonly string[], said: string): Record<string, string> {
  return Object.fromEntries(codes.map((code) => [code, said]))
}
