/**
 * Alerts without their loops: a test looks and sends itself. The store forgets, the clock stands until it is turned; the
 * receivers are real servers on this machine.
 */
import { createSecretKey } from 'node:crypto'
import { afterEach, beforeEach } from 'node:test'
import { type Accounts, openAccounts } from '../src/accounts/accounts.ts'
import { changeDestination } from '../src/accounts/destinations.ts'
import { type Keyring, openKeyring } from '../src/accounts/keyring.ts'
import { isEndedBy } from '../src/accounts/needs-attention.ts'
import { confirmationToken, confirmRecipient } from '../src/alerts/confirm.ts'
import { openMail } from '../src/alerts/mail.ts'
import type { RecipientNeeds } from '../src/alerts/recipients.ts'
import { addRecipient } from '../src/alerts/recipients.ts'
import { type SendNeeds, sending } from '../src/alerts/send.ts'
import { type WatchNeeds, watching } from '../src/alerts/watch.ts'
import type { Log } from '../src/lib/log.ts'
import { openPublicSend } from '../src/lib/public-request.ts'
import { systemRandom } from '../src/lib/random.ts'
import { openHttpClient } from '../src/lib/request.ts'
import { type AlertReceiver, startAlertReceiver } from '../src/sim/alert-receiver.ts'
import type { Install } from '../src/storage/ports/accounts.ts'
import type { Channel, Message } from '../src/storage/ports/alerts.ts'
import type { Storage } from '../src/storage/ports/storage.ts'
import { openInMemory } from '../src/storage/sqlite/in-memory.ts'
import { type ManualClock, manualClock } from './clock.ts'
import { type MailServer, startMailServer } from './smtp.ts'
import './over.ts'

export const account = '5000883'
export const publicUrl = 'https://connector.example'

export interface AlertStage {
  clock: ManualClock
  storage: Storage
  accounts: Accounts
  keyring: Keyring
  needs: WatchNeeds & SendNeeds & RecipientNeeds
  hook: AlertReceiver
  slack: AlertReceiver
  operator: AlertReceiver
  smtp: MailServer
  /** Makes the account one to which nothing is wrong. */
  install(org?: string): Promise<void>
  /** Of this channel, confirmed; resolves to its id. */
  add(channel: Channel, org?: string): Promise<string>
  look(): Promise<number>
  /** Sends what is due now, one after the other. */
  send(): Promise<number>
  /** Sends as time goes by, until no message of the account waits. */
  sendAll(): Promise<Message[]>
  /** An account is refused for this reason, where such a reason stands; without one nothing is wrong with it. */
  refuse(reason?: string, org?: string): Promise<void>
  /** The account is refused for this reason, and looked at. */
  stop(reason?: string): Promise<void>
  /** Nothing is wrong with the account any more, and it is looked at. */
  mend(): Promise<void>
  /** Of the account, the newest first. */
  messages(): Promise<Message[]>
  /** Of the log. */
  lines: string[]
  close(): Promise<void>
}

/** A stage of its own for each test beside the call, with the account installed and these recipients. */
export function eachAlertStage(use: (stage: AlertStage) => void | Promise<void>, ...channels: Channel[]): void {
  let stage: AlertStage
  beforeEach(async () => {
    stage = await startAlertStage()
    await stage.install()
    for (const channel of channels) await stage.add(channel)
    await use(stage)
  })
  afterEach(() => stage.close())
}

export async function startAlertStage({ toOperator = true } = {}): Promise<AlertStage> {
  const lines: string[] = []
  const write: Log['info'] = (event, fields) => void lines.push(JSON.stringify({ event, ...fields }))
  const log: Log = { info: write, warn: write, error: write }
  const clock = manualClock()
  const storage = openInMemory()
  const secret = createSecretKey(Buffer.alloc(32, 7))
  const keyring = await openKeyring(storage.vault, [{ id: 'test', secret }], systemRandom)
  const accounts = await openAccounts(storage.installs, storage.inbox, { endpoints: new Set(['lake']) })
  const [hook, slack, operator] = await Promise.all([1, 2, 3].map(() => startAlertReceiver({ clock })))
  const smtp = await startMailServer()
  const httpClient = openHttpClient({ clock })
  const needs: AlertStage['needs'] = {
    storage,
    keyring,
    accounts,
    clock,
    random: systemRandom,
    log,
    toOperator,
    operatorUrl: toOperator ? operator!.url : undefined,
    sendPublic: openPublicSend({ clock, unsafeAllowLoopback: true }),
    sendOperator: httpClient.send,
    mail: openMail({ url: smtp.url, from: 'alerts@connector.example' }, clock),
    publicUrl: () => publicUrl,
    canMail: true,
    unsafeAllowLoopback: true,
  }
  const look = watching(needs)
  const next = sending(needs)
  const messages = () => storage.alerts.list(account, 100)
  async function refuse(reason?: string, org = account): Promise<void> {
    const isOfDestination = isEndedBy(reason, 'delivered')
    await accounts.change(org, clock.now(), ({ reason: _, ...stored }) => ({
      ...changeDestination(stored, 1, { reason: isOfDestination ? reason : undefined }),
      ...(reason === undefined || isOfDestination ? {} : { reason }),
      state: reason === undefined ? 'live' : 'needs_attention',
    }))
  }
  async function send(): Promise<number> {
    for (let sent = 0; ; sent++) {
      const flight = await next()
      if (!flight) return sent
      await flight.ended
    }
  }
  const addresses = { webhook: hook!.url, slack: slack!.url, email: 'marketing@customer.example' }
  return {
    clock,
    storage,
    accounts,
    keyring,
    needs,
    hook: hook!,
    slack: slack!,
    operator: operator!,
    smtp,
    async install(org = account) {
      const key = Buffer.from('sealed').toString('base64')
      const edit = (blank: Install) => changeDestination({ ...blank, state: 'live' as const }, 1, { key })
      await accounts.change(org, clock.now(), edit)
    },
    async add(channel, org = account) {
      const added = await addRecipient(needs, org, { channel, address: addresses[channel], who: 'an admin' })
      if (added.is !== 'added') throw new Error(JSON.stringify(added))
      if (added.secret) hook!.secret = added.secret
      if (channel === 'email')
        await confirmRecipient(needs, confirmationToken(keyring, { org, id: added.recipient.id }))
      return added.recipient.id
    },
    lines,
    look: async () => (await look()).messages,
    send,
    async sendAll() {
      for (let rounds = 0; rounds < 2_000; rounds++) {
        await send()
        const all = await messages()
        const due = all.flatMap(({ dueAt }) => (dueAt === undefined ? [] : [dueAt]))
        if (due.length === 0) return all
        // One that is due already waits for an earlier one.
        clock.jump(Math.min(...due.filter((at) => at > clock.now())) - clock.now())
      }
      throw new Error('a message waits for good')
    },
    refuse,
    async stop(reason = 'segment_401') {
      await refuse(reason)
      await look()
    },
    async mend() {
      clock.advance(1)
      await refuse()
      await look()
    },
    messages,
    async close() {
      await httpClient.close()
      await Promise.all([hook, slack, operator, smtp].map((server) => server!.close()))
    },
  }
}
