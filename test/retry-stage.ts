/**
 * What the tests of "Retry now" and "Resume" stand on: the real service between the simulators, what waits for a later time
 * there, and every reason for which an account's events are kept. The wall time stands until a test turns it, so no attempt
 * is made but the one that is asked for.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import { changeDestination } from '../src/accounts/destinations.ts'
import { grantFields } from '../src/accounts/grant.ts'
import type { AccountReason } from '../src/accounts/needs-attention.ts'
import { reasonOf, unproven } from '../src/accounts/state.ts'
import type { Env } from '../src/config.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import type { Action } from '../src/sim/index.ts'
import type { Seen } from '../src/sim/visitor.ts'
import type { Install } from '../src/storage/ports/accounts.ts'
import type { Lane } from '../src/storage/ports/entry.ts'
import { eventually, type ManualClock, manualClock, whileWaiting } from './clock.ts'
import type { Engine, Stores } from './engines.ts'
import { org, type Rig, startRig } from './rig.ts'
import { openWalk, type Walk } from './walk.ts'

export const id = String(org)
const [minute, given] = [60_000, { org: id }]

/** An attempt is made, and refused again for the same reason; by so many requests: none where none can be made. */
interface Refused {
  is: 'refused'
  begin(): Promise<void>
  requests: number
}

/** Nothing of the account is sent, whatever waits. */
interface Held {
  is: 'held'
  begin(): Promise<unknown>
  /** Whether a person may end it by "Resume". */
  resumes: boolean
}

/** For a `describe`: a new service on a new store for each of its tests. */
export function retryStage(engine: Engine) {
  let stores: Stores
  let clock: ManualClock
  let rig: Rig
  let admin: Walk

  before(async () => {
    stores = await engine.start()
  })
  after(() => stores.close())
  beforeEach(async () => {
    clock = manualClock(Date.now())
    rig = await startRig({ clock, env: { DATABASE_URL: await stores.fresh() } })
    admin = openWalk(rig)
  })
  afterEach(async () => {
    await admin.close()
    await rig.sims.segment.close()
    await rig.close()
  })

  /** A command beside the service has the same wall time, and does not stand still. */
  const beside: Clock = { ...systemClock, now: () => clock.now() }
  const command = (name: 'retry' | 'resume' | 'pause', with_: Clock = beside) =>
    rig.command(`installs ${name}`, { given, clock: with_ })
  const retry = () => command('retry')
  const { segmentRequests, driftRequests } = {
    segmentRequests: () => rig.sims.segment.requests.length,
    driftRequests: () => rig.sims.drift.count('/conversations/*'),
  }
  const requests = () => segmentRequests() + driftRequests()
  const installed = () => rig.service.store.accounts.get(id)!
  const lane = async (name: Lane) => (await rig.service.store.storage.lookup.lanes(id)).find((one) => one.lane === name)
  const audit = async () => (await rig.service.store.storage.audit.list(id, 50)).map(({ what }) => what)
  const update = (n = 1): JsonObject => ({
    type: 'contact_updated',
    orgId: org,
    data: { endUserId: 7, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] },
  })
  const joins = (n = 1): JsonObject => ({
    type: 'conversation_participant_added',
    orgId: org,
    data: { conversationId: 1_000_000 + n, addedParticipants: [1], changedAt: n },
  })
  const post = async (event: JsonObject) =>
    assert.equal((await rig.sims.drift.send(event, { to: rig.to, orgId: org })).status, 200)

  /** Attempts have failed until the lane waits for at least half a minute. */
  async function failing(name: Lane): Promise<void> {
    await eventually(async () => {
      const shown = await lane(name)
      const isUnderWay = (shown?.leaseUntil ?? 0) > clock.now()
      if (shown?.triedAt === undefined || isUnderWay) return false
      const waitMs = shown.readyAt! - clock.now()
      if (waitMs < minute / 2) clock.advance(Math.max(waitMs, 1))
      return waitMs >= minute / 2
    })
  }

  const open = async () => {
    if (!(await admin.get(admin.at('/console'))).body.includes('id="status-title"')) await admin.connect(org)
    // Whatever helps is offered there; Home has the one thing that helps most.
    return admin.get(admin.at('/console/connection'))
  }
  const look = async (path: string) => (await admin.get(admin.at(path))).body
  const offers = async (what: 'retry' | 'resume') => (await open()).body.includes(`action="/console/${what}"`)
  /** Presses the button that is there, and follows to the page that says what came of it. */
  async function press(what: 'retry' | 'resume'): Promise<string> {
    const page = await open()
    // The page waits by the service's clock.
    const answered = await whileWaiting(clock, admin.submit(page, {}, `/console/${what}`))
    assert.equal(answered.status, 303)
    return (await admin.follow(answered)).body
  }
  /** Presses the button of a page that was loaded when it was still offered. */
  async function pressStale(what: 'retry' | 'resume', page: Seen): Promise<string> {
    const [, csrf] = /name="csrf" value="([^"]*)"/.exec(page.body)!
    return (await admin.follow(await admin.post(admin.at(`/console/${what}`), { csrf: csrf! }))).body
  }

  const segmentDown = { status: 503 }
  /** What waits for a later time, and what an attempt brings there. */
  const waits: Record<string, { wait(): Promise<void>; says: RegExp; shows: RegExp; code: number }> = {
    'Segment is down': {
      async wait() {
        rig.sims.segment.script(segmentDown)
        await post(update())
        await failing('send')
      },
      says: /Segment answered 503; next attempt at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/,
      shows:
        /Attempt failed: Segment returned 503 \(service unavailable\)[\s\S]*Next attempt <time[\s\S]*no action needed/,
      code: 1,
    },
    'Segment is well again': {
      async wait() {
        rig.sims.segment.script(segmentDown)
        await post(update())
        await failing('send')
        rig.sims.segment.script(undefined)
      },
      says: /Segment accepted/,
      shows: /Segment accepted/,
      code: 0,
    },
    'Drift is down': {
      async wait() {
        rig.sims.drift.script('/conversations/*', { status: 503 })
        await post(joins())
        await failing('ask')
      },
      says: /Drift answered 503; next attempt at/,
      shows: /Attempt failed: Drift returned 503[\s\S]*Next attempt <time/,
      code: 1,
    },
    'Drift does not know the conversation': {
      async wait() {
        await post(joins())
        await failing('ask')
      },
      says: /Drift answered(?! \d)/,
      shows: /Drift answered(?! \d)/,
      code: 0,
    },
  }

  const change = (edit: (known: Install) => Install) => rig.service.store.accounts.change(id, clock.now(), edit)
  /** The account is refused, and its lane waits for the next probe. */
  async function refused(reason: AccountReason, name: Lane): Promise<void> {
    await whileWaiting(
      clock,
      eventually(() => reasonOf(installed()) === reason),
    )
    await failing(name)
  }
  const bySegment = (reason: AccountReason, action: Action): Refused => ({
    is: 'refused',
    async begin() {
      rig.sims.segment.script(action)
      await post(update(1))
      await refused(reason, 'send')
      await post(update(2))
    },
    requests: 1,
  })
  const byDrift = (reason: AccountReason, prepare: () => unknown, requests: number): Refused => ({
    is: 'refused',
    async begin() {
      await prepare()
      await post(joins())
      await refused(reason, 'ask')
    },
    requests,
  })
  const answers = (status: number, type: string) => () =>
    rig.sims.drift.script('/conversations/*', { status, body: { error: { type, message: 'No.' } } })
  const held = (begin: Held['begin'], resumes = false): Held => ({ is: 'held', begin, resumes })
  /** The browser keeps its session: it goes by the address. */
  async function restart(env: Env): Promise<void> {
    Object.assign(rig.env, env, { PORT: new URL(rig.service.url).port })
    await rig.restart()
  }
  const saysThatItLeft = () => post({ type: 'app_disconnected', orgId: org, data: {} })

  /** Each reason of the table in src/accounts/needs-attention.ts, and how an account comes by it. */
  const reasons: Record<Exclude<AccountReason, 'not_installed' | 'disconnected'>, Refused | Held | undefined> = {
    paused: held(() => command('pause'), true),
    no_write_key: held(() => change((known) => changeDestination(known, 1, { key: undefined }))),
    not_allowed: held(() => restart({ DRIFT_ORG_IDS_ALLOWED: '1' })),
    endpoint_not_allowed: held(() => change((known) => changeDestination(known, 1, { endpoint: 'gone' }))),
    settings_unreadable: held(async () => {
      const { installs } = rig.service.store.storage
      await installs.save({ ...(await installs.get(id))!, settings: '{"offTypes":"of-later"}' })
      await restart({})
    }),
    disconnecting: held(async () => {
      rig.sims.drift.script('/app/token_info', { status: 503 })
      rig.sims.drift.script('/oauth2/token', { status: 503 })
      await saysThatItLeft()
      await eventually(() => installed().reason === 'disconnecting')
    }),
    disconnect_unproven: held(async () => {
      await change(({ grant: _, ...rest }) => rest)
      await saysThatItLeft()
      await eventually(() => installed().reason === unproven)
    }, true),
    write_key_refused: bySegment('write_key_refused', { status: 400, body: { error: 'invalid write key' } }),
    segment_401: bySegment('segment_401', { status: 401 }),
    segment_403: bySegment('segment_403', { status: 403 }),
    segment_404: bySegment('segment_404', { status: 404 }),
    segment_redirect: bySegment('segment_redirect', { status: 302, headers: { location: '/elsewhere' } }),
    segment_success_false: bySegment('segment_success_false', { status: 200, body: { success: false } }),
    not_segment: bySegment('not_segment', { status: 200, body: '<html>Sign in</html>' }),
    segment_refuses_all: {
      is: 'refused',
      async begin() {
        rig.sims.segment.script(segmentDown)
        await post(update(1))
        await post(update(2))
        await failing('send')
        rig.sims.segment.script({ status: 400 })
        clock.advance(minute)
        await refused('segment_refuses_all', 'send')
      },
      requests: 1,
    },
    // No request of today carries the key where a character could spoil it.
    segment_request_invalid: undefined,
    write_key_unreadable: {
      is: 'refused',
      async begin() {
        await change((known) => changeDestination(known, 1, { key: Buffer.alloc(99, 1).toString('base64') }))
        await post(update())
        await refused('write_key_unreadable', 'send')
      },
      requests: 0,
    },
    grant_dead: byDrift(
      'grant_dead',
      () => {
        rig.sims.drift.accessTokens.clear()
        rig.sims.drift.refreshTokens.clear()
      },
      1,
    ),
    drift_token_refused: byDrift('drift_token_refused', answers(401, 'invalid_token'), 2),
    drift_forbidden: byDrift('drift_forbidden', answers(403, 'insufficient_scope'), 1),
    drift_request_invalid: byDrift(
      'drift_request_invalid',
      async () => {
        const spoilt = await grantFields(rig.service.store.keyring, id, { accessToken: 'a\nb' }, clock.now())
        await change((known) => ({ ...known, ...spoilt }))
      },
      0,
    ),
  }

  return {
    rig: () => rig,
    clock: () => clock,
    ...{
      look,
      command,
      retry,
      installed,
      lane,
      audit,
      update,
      post,
      failing,
      open,
      offers,
      press,
      pressStale,
      waits,
      reasons,
    },
    ...{ requests, segmentRequests },
  }
}
