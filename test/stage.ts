/**
 * The pipeline without its loops: a test takes every step itself. The store forgets, the clock stands until it is
 * turned; both partners are the simulators, over real HTTP.
 */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { afterEach, beforeEach } from 'node:test'
import { type Accounts, openAccounts } from '../src/accounts/accounts.ts'
import { type Disconnect, disconnecting } from '../src/accounts/disconnect.ts'
import { type Grant, type Grants, grantFields, openGrants } from '../src/accounts/grant.ts'
import { type Keyring, openKeyring } from '../src/accounts/keyring.ts'
import { sealWriteKey } from '../src/accounts/write-key.ts'
import { tokensOf } from '../src/drift/envelope.ts'
import type { App } from '../src/drift/oauth.ts'
import { readFixture } from '../src/events/fixtures.ts'
import { catalogue } from '../src/events/index.ts'
import type { Clock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { silentLog } from '../src/lib/log.ts'
import { systemRandom } from '../src/lib/random.ts'
import { openHttpClient, type Send } from '../src/lib/request.ts'
import { addsUp, outcomesOf } from '../src/operations/totals.ts'
import { openContacts } from '../src/pipeline/contacts.ts'
import { type AskNeeds, askLease } from '../src/pipeline/lookup-lane.ts'
import { receiver } from '../src/pipeline/receive.ts'
import { type SendNeeds, sendLease } from '../src/pipeline/send-lane.ts'
import { messagesMax } from '../src/segment/batch.ts'
import { type Sims, startSims } from '../src/sim/index.ts'
import { type Variation, vary } from '../src/sim/webhook.ts'
import { claimOne } from '../src/storage/conformance.ts'
import type { Lane, Org } from '../src/storage/ports/entry.ts'
import type { Lease } from '../src/storage/ports/inbox.ts'
import type { BacklogRow } from '../src/storage/ports/lookup.ts'
import type { Storage } from '../src/storage/ports/storage.ts'
import { openInMemory } from '../src/storage/sqlite/in-memory.ts'
import { eventually, type ManualClock, manualClock } from './clock.ts'
import './over.ts'
import { changeDestination } from '../src/accounts/destinations.ts'

export const org = 5_000_883
export const writeKey = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'
export const leaseMs = 60_000

/** One service's parts on a store; a second one on the same store is another process. */
export interface Parts {
  accounts: Accounts
  grants: Grants
  disconnect: Disconnect
  needs: SendNeeds & AskNeeds
}

export interface Stage extends Parts {
  clock: ManualClock
  sims: Sims
  storage: Storage
  keyring: Keyring
  send: Send
  /** A webhook is received and kept; Drift knows its conversation. */
  arrive(event: string | JsonObject, variation?: Variation): Promise<void>
  claim(lane: Lane, limit?: number): Promise<Lease | undefined>
  /** Claims and works off one lease of the lane; false when nothing is due. */
  step(lane: Lane): Promise<boolean>
  /** The same while time passes, as it must before a grant is called dead. */
  stepInTime(lane: Lane): Promise<boolean>
  /** Both lanes, until nothing is due at this moment. */
  run(): Promise<void>
  backlog(): Promise<Omit<BacklogRow, 'oldestReceivedAt' | 'destination'>[]>
  install(orgId?: number, grant?: Grant, key?: string): Promise<void>
  another(store?: Storage): Promise<Parts>
  close(): Promise<void>
}

/** What the parts of a service stand on. */
export interface Around {
  storage: Storage
  keyring: Keyring
  send: Send
  clock: Clock
  app: App
  driftUrl: string
  segmentUrl: string
  /** The accounts that the settings list, where they list any. */
  orgsAllowed?: ReadonlySet<Org>
  /** The endpoints that they list, by name. */
  endpoints?: ReadonlyMap<string, string>
}

export async function openParts(around: Around): Promise<Parts> {
  const { storage, keyring, send, clock, app, driftUrl, segmentUrl, orgsAllowed, endpoints = new Map() } = around
  const { inbox, installs, tickets } = storage
  const accounts = await openAccounts(installs, inbox, { orgs: orgsAllowed, endpoints })
  await accounts.reload(clock.now())
  const common = { accounts, keyring, send, clock, apiUrl: driftUrl }
  const grants = openGrants({ ...common, installs, app })
  const disconnect = disconnecting({ ...common, grants, inbox, tickets, alerts: storage.alerts, app })
  const segment = { us: segmentUrl, eu: segmentUrl, endpoints }
  const wake = { wakeLookups() {}, wakeSending() {} }
  const contacts = openContacts({ grants, send, clock, random: systemRandom, driftUrl })
  const base = { storage, catalogue, accounts, contacts, keyring, send, clock, random: systemRandom, leaseMs }
  const needs = { ...base, ...wake, messagesMax, segment, log: silentLog, grants, disconnect, driftUrl }
  return { accounts, grants, disconnect, needs }
}

/** Claims and works off one lease of the lane; false when nothing is due. */
export async function stepLane({ needs }: Parts, lane: Lane, limit = 500): Promise<boolean> {
  const claiming = { now: needs.clock.now(), leaseMs, limit, bytesMax: 1_000_000 }
  const lease = await claimOne(needs.storage.inbox, lane, claiming)
  if (lease) await (lane === 'send' ? sendLease(needs, lease) : askLease(needs, lease))
  return lease !== undefined
}

/**
 * Gives each test of the describe, or of the file, that calls it a stage of its own with the account installed. When the
 * test has ended, what was received must be all that became of it.
 */
export function eachStage(use: (stage: Stage) => void | Promise<void>): void {
  let stage: Stage
  beforeEach(async () => {
    stage = await startStage()
    await stage.install()
    await use(stage)
  })
  afterEach(async () => {
    const { ledger } = stage.storage
    assert.ok(addsUp(outcomesOf(await ledger.totals(), await ledger.backlog())))
    await stage.close()
  })
}

/** ENCRYPTION_KEYS of every stage. */
export const stageSecret = createSecretKey(Buffer.alloc(32, 7))

export async function startStage(storage: Storage = openInMemory()): Promise<Stage> {
  const clock = manualClock()
  const sims = await startSims({ drift: { clock } })
  const httpClient = openHttpClient({ clock })
  const keyring = await openKeyring(storage.vault, [{ id: 'test', secret: stageSecret }], systemRandom)
  const { settings, url: driftUrl } = sims.drift
  const tokens = tokensOf([settings.verificationToken])
  const around = { keyring, send: httpClient.send, clock, app: settings, driftUrl, segmentUrl: sims.segment.url }
  const another = (store = storage) => openParts({ ...around, storage: store })

  const parts = await another()
  const { accounts } = parts
  const receiving = { tokens, catalogue, accounts, keyring, inbox: storage.inbox, clock, random: systemRandom }
  const receive = receiver({ ...receiving, wake() {} })

  const stage: Stage = {
    ...parts,
    clock,
    sims,
    storage,
    keyring,
    send: httpClient.send,
    another,
    async arrive(event, variation = {}) {
      const fixture = typeof event === 'string' ? await readFixture(event) : { drift: event, segment: {} }
      const { drift, conversation } = vary(fixture, { orgId: org, ...variation })
      if (conversation) sims.drift.addOrg({ orgId: variation.orgId ?? org, conversations: [conversation] })
      const body = Buffer.from(JSON.stringify({ ...drift, token: settings.verificationToken }))
      const { outcome } = await receive(body, { verdict: 'missing' })
      if (outcome === 'unauthorised') throw new Error('the stage made a webhook that is not let in')
    },
    claim: (lane, limit = 500) =>
      claimOne(storage.inbox, lane, { now: clock.now(), leaseMs, limit, bytesMax: 1_000_000 }),
    step: (lane) => stepLane(stage, lane),
    async stepInTime(lane) {
      let done: boolean | undefined
      const stepping = stage.step(lane).then((answer) => (done = answer))
      await eventually(() => {
        if (done === undefined) clock.advance(100)
        return done !== undefined
      })
      return stepping
    },
    async run() {
      while ((await stage.step('send')) || (await stage.step('ask')));
    },
    backlog: async () =>
      (await storage.ledger.backlog()).map(({ oldestReceivedAt: _, destination: _d, ...backlogNow }) => backlogNow),
    async install(orgId = org, grant, key = writeKey) {
      sims.drift.addOrg({ orgId })
      const id = String(orgId)
      const issued = grant ?? { ...sims.drift.issueToken(orgId), expiresAt: clock.now() + 7_200_000 }
      const fields = await grantFields(keyring, id, issued, clock.now())
      const sealed = await sealWriteKey(keyring, id, 1, key)
      await accounts.change(id, clock.now(), ({ reason: _, ...install }) =>
        changeDestination({ ...install, ...fields, state: 'live' as const }, 1, { key: sealed }),
      )
    },
    async close() {
      await httpClient.close()
      await sims.close()
    },
  }
  return stage
}
