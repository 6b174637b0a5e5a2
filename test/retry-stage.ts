/**
 * What the tests of "Retry now" and "Resume" stand on: the real service between the simulators, and an admin in its console.
 * The wall time stands until a test turns it, so no attempt is made but the one that is asked for. Why events wait:
 * retry-causes.ts.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import type { Env } from '../src/config.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import type { Seen } from '../src/sim/visitor.ts'
import type { Install } from '../src/storage/ports/accounts.ts'
import type { Lane } from '../src/storage/ports/entry.ts'
import { eventually, type ManualClock, manualClock, whileWaiting } from './clock.ts'
import type { Engine, Stores } from './engines.ts'
import { org, type Rig, startRig } from './rig.ts'
import { openWalk, type Walk } from './walk.ts'

export const id = String(org)
const [minute, given] = [60_000, { org: id }]

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

  const change = (edit: (known: Install) => Install) => rig.service.store.accounts.change(id, clock.now(), edit)
  /** The browser keeps its session: it goes by the address. */
  async function restart(env: Env): Promise<void> {
    Object.assign(rig.env, env, { PORT: new URL(rig.service.url).port })
    await rig.restart()
  }

  return {
    rig: () => rig,
    clock: () => clock,
    look,
    command,
    retry,
    restart,
    installed,
    change,
    lane,
    audit,
    update,
    joins,
    post,
    failing,
    open,
    offers,
    press,
    pressStale,
    requests,
    segmentRequests,
  }
}
