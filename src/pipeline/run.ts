/**
 * The whole pipeline at work on a store: what receives, the two loops behind it, and upkeep. The service runs it, and so
 * does the simulation, with a clock and partners of its own.
 */
import { tokensOf } from '../drift/envelope.ts'
import type { App } from '../drift/oauth.ts'
import type { EventPage } from '../events/define.ts'
import { type Disconnect, disconnecting } from '../install/disconnect.ts'
import { follower } from '../install/follow.ts'
import { type Grants, openGrants } from '../install/grant.ts'
import type { Keyring } from '../install/keyring.ts'
import { followState, type Roster } from '../install/roster.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import { messagesMax as requestMessagesMax } from '../segment/batch.ts'
import type { Org, Storage } from '../storage/ports.ts'
import { askLease } from './ask.ts'
import { logAccountChange, loggingEndings } from './endings-log.ts'
import { leaseBytesMax } from './prepare.ts'
import { type Receive, receiver } from './receive.ts'
import { sendLease } from './send.ts'
import { startInStep, watchSteps } from './steps.ts'
import { keepUp } from './upkeep.ts'
import { type Work, working } from './work.ts'

/** Longer than a lease's requests take one by one; each of them renews it. */
const usualLeaseMs = 60_000

export interface Pipeline {
  receive: Receive
  grants: Grants
  disconnect: Disconnect
  /** Begins to work on what waits; until then webhooks are kept only. */
  start(): void
  /** Something was put in line by other ways than `receive`: looks at the lanes now. */
  wake(): void
  /** Takes nothing new from the lanes, and resolves when what is under way has been settled. */
  stop(): Promise<void>
}

interface Needs {
  storage: Storage
  keyring: Keyring
  roster: Roster
  catalogue: ReadonlyMap<string, EventPage>
  send: Send
  drift: { apiUrl: string; app: App | undefined; verificationTokens: readonly string[] }
  segment: { us: string; eu: string }
  retentionDays: number
  /** The accounts that may be connected, where the settings list them. */
  orgsAllowed?: ReadonlySet<Org> | undefined
  leaseMs?: number
  /** Messages in one request to Segment, at most. */
  messagesMax?: number
  clock: Clock
  random: Random
  log: Log
}

/** Brings every lane in line with its account; the loops run from `start` on. */
export async function openPipeline(needs: Needs): Promise<Pipeline> {
  const { keyring, roster, catalogue, send, clock, random, log, leaseMs = usualLeaseMs } = needs
  const inbox = loggingEndings(needs.storage.inbox, log)
  const storage: Storage = { ...needs.storage, inbox }
  const { apiUrl, app, verificationTokens } = needs.drift
  const common = { roster, keyring, send, clock, apiUrl }
  const grants = openGrants({ ...common, installs: storage.installs, app, random })
  const { tickets, audit } = storage
  const disconnect = disconnecting({ ...common, grants, inbox, tickets, audit, app })
  for (const install of roster.all()) {
    await followState(inbox, install, clock.now())
    // The process may have ended while it erased.
    if (install.state === 'disconnected') await disconnect.erase(install.org)
  }
  const { segment, messagesMax = requestMessagesMax } = needs
  const lane = { storage, catalogue, roster, keyring, send, segment, clock, random, log, leaseMs, messagesMax }
  const loop = { inbox, holder: timeOrderedId(random, clock.now()), clock, log, leaseMs }
  const sending = working({
    ...loop,
    lane: 'send',
    accountsMax: 32,
    limit: messagesMax,
    bytesMax: leaseBytesMax,
    work: (lease, hasRoom, claimedAt) =>
      sendLease({ ...lane, wakeAsking: () => asking.wake() }, lease, hasRoom, claimedAt),
  })
  const asking: Work = working({
    ...loop,
    lane: 'ask',
    accountsMax: 16,
    limit: 50,
    bytesMax: leaseBytesMax,
    work: (lease, _hasRoom, claimedAt) =>
      askLease({ ...lane, grants, disconnect, driftUrl: apiUrl, wakeSending: () => sending.wake() }, lease, claimedAt),
  })
  const wake = () => {
    sending.wake()
    asking.wake()
  }
  roster.onChange((before, after) => {
    logAccountChange(log, before, after)
    wake()
  })
  storage.onChange(follower({ roster, keyring, clock, log, wake }))
  storage.onDue(wake)
  const receive = receiver({
    tokens: tokensOf(verificationTokens),
    catalogue,
    roster,
    keyring,
    inbox,
    clock,
    random,
    orgsAllowed: needs.orgsAllowed,
    wake: (woken) => (woken === 'send' ? sending : asking).wake(),
  })
  const stepping = { inbox, clock, log, wake }
  await startInStep(storage.lookup, stepping)
  let stopUpkeep = async () => {}
  let stopSteps = async () => {}
  return {
    receive,
    grants,
    disconnect,
    wake,
    start() {
      const steps = watchSteps(stepping)
      stopSteps = steps.stop
      const { mayDelete } = steps
      const { retentionDays } = needs
      const purge = () => storage.purge()
      stopUpkeep = keepUp({ inbox, tickets, grants, purge, clock, log, retentionDays, mayDelete })
      wake()
    },
    stop: async () => void (await Promise.all([sending.stop(), asking.stop(), stopUpkeep(), stopSteps()])),
  }
}
