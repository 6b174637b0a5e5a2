/** The machine's clock is set back or forward, while the service runs and while it does not. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import { type Fields, silentLog } from '../../src/lib/log.ts'
import { eventually, type ManualClock, manualClock } from '../clock.ts'
import { freePort } from '../free-port.ts'
import { closeCounted, install, org, type Rig, startRig } from '../rig.ts'
import { openWalk } from '../walk.ts'

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 24 * 3_600_000]
const options = { timeout: 120_000 }
const stranger = 777

let rig: Rig
let clock: ManualClock
let metricsPort: number
let lines: [event: string, fields: Fields | undefined][]
beforeEach(async () => {
  metricsPort = await freePort()
  lines = []
  // Ahead of the system's clock, by which commands beside the service go.
  clock = manualClock(Date.now() + hour)
  const log = { ...silentLog, warn: (event: string, fields?: Fields) => void lines.push([event, fields]) }
  rig = await startRig({ clock, log, env: { METRICS_PORT: String(metricsPort) } })
})
afterEach(() => closeCounted(rig))

/** A contact's n-th change; it needs no lookup. */
function update(n: number, orgId = org): JsonObject {
  const data = { endUserId: 7, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] }
  return { type: 'contact_updated', orgId, data }
}

/** The n-th change in a conversation; Drift must be asked whose it is. */
function joins(n: number): JsonObject {
  const data = { conversationId: 1_000_000 + n, addedParticipants: [1], changedAt: n }
  return { type: 'conversation_participant_added', orgId: org, data }
}

async function post(event: JsonObject): Promise<void> {
  assert.equal((await rig.sims.drift.send(event, { to: rig.to })).status, 200)
}

/** An attempt takes as long as a busy machine needs, which is not a delay of ours: the clock stands meanwhile. */
async function isAtWork(): Promise<boolean> {
  const lanes = await rig.service.store.storage.lookup.lanes(String(org))
  return lanes.some(({ leaseUntil }) => leaseUntil !== undefined && leaseUntil > clock.now())
}

/** Lets time pass until it is so; resolves to how much did. */
async function passUntil(isSo: () => boolean | Promise<boolean>, stepMs = second): Promise<number> {
  const startedAt = clock.monotonic()
  await eventually(
    async () => {
      if (await isSo()) return true
      if (!(await isAtWork())) clock.advance(stepMs)
      return false
    },
    () => `${clock.monotonic() - startedAt} ms`,
  )
  return clock.monotonic() - startedAt
}

const asked = () => rig.sims.drift.count('/conversations/*')
const accepted = () => rig.sims.segment.accepted.length
const lane = async (name: 'send' | 'ask') => {
  const lanes = await rig.service.store.storage.lookup.lanes(String(org))
  return lanes.find(({ lane: one }) => one === name)
}
/** What goes on by itself within this did not wait for the clock. */
const soonMs = 30 * second

describe('an account that waits because Segment or Drift is down waits no longer than it would have', () => {
  const partners = [
    ['Segment', 'send', update],
    ['Drift', 'ask', joins],
  ] as const
  for (const [partner, name, event] of partners)
    for (const [what, byMs] of [
      ['five minutes', 5 * minute],
      ['an hour', hour],
      ['a year', 365 * day],
    ] as const) {
      const down = (isDown: boolean) => {
        if (partner === 'Segment') rig.sims.segment.script(isDown ? { status: 503 } : undefined)
        else rig.sims.drift.script('/conversations/*', isDown ? { status: 503 } : undefined)
      }
      const fails = (times: number) => passUntil(async () => ((await lane(name))?.failures ?? 0) >= times)
      const know = (n: number) =>
        rig.sims.drift.addOrg({ orgId: org, conversations: [{ id: 1_000_000 + n, contactId: 8 }] })

      test(`${partner}: the clock is set back by ${what}`, options, async () => {
        for (const n of [1, 2]) know(n)
        down(true)
        await post(event(1))
        await fails(3)
        clock.step(-byMs)
        down(false)
        await post(event(2))
        assert.ok((await passUntil(() => accepted() === 2)) <= soonMs)
      })

      test(`${partner}: the clock is set back by ${what} while the service is stopped`, options, async () => {
        know(1)
        down(true)
        await post(event(1))
        await fails(3)
        await rig.service.close()
        clock.step(-byMs)
        down(false)
        await rig.restart()
        assert.ok((await passUntil(() => accepted() === 1)) <= soonMs)
      })
    }

  test(
    'nothing has come for days, and the clock is set back by one while the service is stopped',
    options,
    async () => {
      // Drift does not know the conversation yet, and the event waits for the next answer by itself.
      await post(joins(1))
      const waits = async () => ((await lane('ask'))?.readyAt ?? 0) > clock.now()
      await passUntil(async () => asked() > 10 && (await waits()), minute)
      clock.advance(2 * day)
      await passUntil(async () => asked() > 11 && (await waits()), minute)
      await rig.service.close()
      clock.step(-day)
      rig.sims.drift.addOrg({ orgId: org, conversations: [{ id: 1_000_001, contactId: 8 }] })
      await rig.restart()
      assert.ok((await passUntil(() => accepted() === 1)) <= soonMs)
    },
  )

  test('the clock is set forward: what it calls due is done at once', options, async () => {
    rig.sims.segment.script({ status: 503 })
    await post(update(1))
    await passUntil(async () => ((await lane('send'))?.failures ?? 0) >= 12)
    rig.sims.segment.script(undefined)
    for (let rounds = 0; rounds < 6; rounds++) {
      clock.advance(10 * second)
      // Answered after whatever a timer has just begun.
      await lane('send')
    }
    assert.equal(accepted(), 0)
    clock.step(hour)
    assert.ok((await passUntil(() => accepted() === 1)) <= soonMs)
  })
})

test(
  'while the clock is a year ahead nothing is deleted that is not old, and what was held is still delivered',
  options,
  async () => {
    await post(update(1))
    await passUntil(() => accepted() === 1)
    await post(update(2, stranger))
    const bodies = async () => (await rig.service.store.storage.lookup.find({}, { limit: 10 })).entries.length
    clock.step(365 * day)
    for (let rounds = 0; rounds < 20; rounds++) {
      clock.advance(10 * second)
      await new Promise(setImmediate)
    }
    assert.equal(await bodies(), 2)
    clock.step(-365 * day)
    clock.advance(10 * second)
    await install(rig, stranger)
    await passUntil(() => accepted() === 2)
    assert.equal((await rig.outcomes()).expired, 0)
  },
)

test('a clock that stays ahead for an hour is believed: what has outlived its time by it goes', options, async () => {
  await post(update(1, stranger))
  clock.step(2 * day)
  assert.ok((await passUntil(async () => (await rig.outcomes()).expired === 1, minute)) >= hour)
})

test(
  'a session that began later than it is now has ended, and with it the proof that it began with',
  options,
  async () => {
    const walk = openWalk(rig)
    await walk.connect(org + 1)
    assert.equal((await walk.get(walk.at('/console'))).status, 200)
    clock.step(-30 * second)
    assert.equal((await walk.get(walk.at('/console'))).status, 200)
    clock.step(-hour)
    const { status, headers } = await walk.get(walk.at('/console'))
    assert.deepEqual([status, headers.location], [303, '/console/sign-in'])
    await walk.close()
  },
)

test('a connection that began later than it is now is over, since its age is not known', options, async () => {
  const walk = openWalk(rig)
  const back = await walk.allow(org + 2)
  clock.step(-hour)
  assert.equal((await walk.get(back)).status, 400)
  clock.step(hour)
  assert.equal((await walk.get(back)).status, 303)
  await walk.close()
})

test(
  'a step is logged, counted in the metrics, and what was received later than now is found by doctor',
  options,
  async () => {
    const steps = () => lines.flatMap(([event, fields]) => (event === 'clock_stepped' ? [fields] : []))
    const metric = async (direction: string) => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      const pattern = new RegExp(`^drift_segment_source_clock_steps_total\\{direction="${direction}"\\} (\\d+)$`, 'm')
      return Number(pattern.exec(text)?.[1])
    }
    assert.deepEqual([await metric('back'), await metric('forward')], [0, 0])
    await post(update(1))
    // As a time server does when all is well: a little at a time.
    for (let n = 0; n < 10; n++) {
      clock.step(100)
      clock.advance(10 * second)
    }
    assert.deepEqual(steps(), [])
    clock.step(-5 * minute)
    await passUntil(() => steps().length === 1)
    clock.step(2 * hour)
    await passUntil(() => steps().length === 2)
    assert.deepEqual(steps(), [
      { byMs: -5 * minute, noticed: 'running' },
      { byMs: 2 * hour, noticed: 'running' },
    ])
    assert.deepEqual([await metric('back'), await metric('forward')], [1, 1])
    await rig.service.close()
    clock.step(-day)
    await rig.restart()
    const [, , atStart] = steps() as { byMs: number; noticed: string }[]
    assert.equal(atStart!.noticed, 'start')
    assert.ok(Math.abs(atStart!.byMs + day - 2 * hour) < hour, `${atStart!.byMs}`)
    const { output } = await rig.command('doctor', { given: { offline: true } })
    assert.match(output, /clock: the event that came last was received \d+ minutes from now/)
  },
)
