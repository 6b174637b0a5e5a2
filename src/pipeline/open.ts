/**
 * The whole pipeline at work on a store: what receives, the two loops behind it, and maintenance. The service runs it, and so
 * does the simulation, with a clock and partners of its own.
 */

import { type Accounts, followStates } from '../accounts/accounts.ts'
import { type Disconnect, disconnecting } from '../accounts/disconnect.ts'
import { follower } from '../accounts/follow.ts'
import { type Grants, openGrants } from '../accounts/grant.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { tokensOf } from '../drift/envelope.ts'
import type { App } from '../drift/oauth.ts'
import type { EventPage } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { messagesMax as requestMessagesMax } from '../segment/batch.ts'
import type { Places } from '../segment/place.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { openContacts } from './contacts.ts'
import { logAccountChange, loggingEndings } from './endings-log.ts'
import { askLease } from './lookup-lane.ts'
import { leaseBytesMax } from './prepare.ts'
import { type Receive, receiver } from './receive.ts'
import { sendLease } from './send-lane.ts'
import { type Work, working } from './worker.ts'

/** Longer than a lease's requests take one by one; each of them renews it. */
const usualLeaseMs = 60_000

/** Accounts that have left: mostly nothing is left of them, and on a server each takes many ways there and back. */
const erasesAtOnce = 8

export interface Pipeline {
  receive: Receive
  grants: Grants
  disconnect: Disconnect
  /** Begins to work on what waits; until then webhooks are kept only. */
  start(): void
  /** Something was queued by other ways than `receive`: looks at the lanes now. */
  wake(): void
  /** Takes nothing new from the lanes, and resolves when what is under way has been settled. */
  stop(): Promise<void>
}

interface Needs {
  storage: Storage
  keyring: Keyring
  accounts: Accounts
  catalogue: ReadonlyMap<string, EventPage>
  send: Send
  drift: { apiUrl: string; app: App | undefined; verificationTokens: readonly string[] }
  segment: Places
  /** The accounts that may be connected, where the settings list them. */
  orgsAllowed?: ReadonlySet<Org> | undefined
  leaseMs?: number
  /** Messages in one request to Segment, at most. */
  messagesMax?: number
  /** See disconnect.ts. */
  farewell?(org: Org, saidAt: number): Promise<'done' | 'stopped'>
  clock: Clock
  random: Random
  log: Log
}

/** Makes every lane follow the state of its account; the loops run from `start` on. */
export async function openPipeline(needs: Needs): Promise<Pipeline> {
  const { keyring, accounts, catalogue, send, clock, random, log, leaseMs = usualLeaseMs } = needs
  const inbox = loggingEndings(needs.storage.inbox, log)
  const storage: Storage = { ...needs.storage, inbox }
  const { apiUrl, app, verificationTokens } = needs.drift
  const common = { accounts, keyring, send, clock, apiUrl }
  const grants = openGrants({ ...common, installs: storage.installs, app, random })
  const { farewell } = needs
  const disconnect = disconnecting({
    ...common,
    grants,
    inbox,
    tickets: storage.tickets,
    alerts: storage.alerts,
    ...(farewell ? { farewell } : {}),
    app,
  })
  await followStates(inbox, accounts.all(), clock.now())
  // The process may have ended while it erased.
  const next = accounts
    .all()
    .filter(({ state }) => state === 'disconnected')
    .values()
  const eraseOn = async () => {
    for (const { org } of next) await disconnect.erase(org)
  }
  await Promise.all(Array.from({ length: erasesAtOnce }, eraseOn))
  const { segment, messagesMax = requestMessagesMax } = needs
  const contacts = openContacts({ grants, send, clock, random, driftUrl: apiUrl })
  const lane = {
    storage,
    catalogue,
    accounts,
    contacts,
    keyring,
    send,
    segment,
    clock,
    random,
    log,
    leaseMs,
    messagesMax,
  }
  const loop = { inbox, holder: timeOrderedId(random, clock.now()), clock, log, leaseMs }
  const sending = working({
    ...loop,
    lane: 'send',
    accountsMax: 32,
    atWorkMax: 8,
    limit: messagesMax,
    bytesMax: leaseBytesMax,
    work: (lease, turn, claimedAt) =>
      sendLease({ ...lane, wakeLookups: () => lookingUp.wake(lease.org) }, lease, turn, claimedAt),
  })
  const lookingUp: Work = working({
    ...loop,
    lane: 'ask',
    accountsMax: 16,
    limit: 50,
    bytesMax: leaseBytesMax,
    work: (lease, _turn, claimedAt) => {
      const wakeSending = () => sending.wake(lease.org)
      return askLease({ ...lane, grants, disconnect, driftUrl: apiUrl, wakeSending }, lease, claimedAt)
    },
  })
  const wake = () => {
    sending.wake()
    lookingUp.wake()
  }
  accounts.onChange((before, after) => {
    logAccountChange(log, before, after)
    wake()
  })
  accounts.onSeen((before, after) => logAccountChange(log, before, after, { elsewhere: true }))
  const follow = follower({ accounts, keyring, clock, log, wake })
  storage.onChange(follow.changed)
  storage.onDue(() => {
    sending.due()
    lookingUp.due()
  })
  const receive = receiver({
    tokens: tokensOf(verificationTokens),
    catalogue,
    accounts,
    keyring,
    inbox,
    clock,
    random,
    orgsAllowed: needs.orgsAllowed,
    wake: (woken, org, isReady) => (woken === 'send' ? sending : lookingUp).wake(org, isReady),
  })
  return {
    receive,
    grants,
    disconnect,
    wake,
    start() {
      sending.start()
      lookingUp.start()
      wake()
    },
    async stop() {
      follow.stop()
      grants.stop()
      await Promise.all([sending.stop(), lookingUp.stop()])
    },
  }
}
