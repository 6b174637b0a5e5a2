/** Segment is down, or an account is refused, paused or without a key: everything is kept, and goes when it can. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { reasonOf } from '../../src/accounts/state.ts'
import { type SegmentAction, type SegmentSim, startSegment } from '../../src/sim/index.ts'
import { eventually } from '../clock.ts'
import {
  backlogNow,
  clock,
  delivered,
  hour,
  installed,
  minute,
  options,
  pass,
  passTime,
  post,
  postOfEach,
  rig,
  sameEachTime,
  start,
  update,
  updatesOf,
} from '../promise.ts'
import { install, org, settled, writeKey } from '../rig.ts'

describe('an outage of Segment', options, () => {
  beforeEach(() => start())

  const faults: [string, SegmentAction][] = [
    ['answers 500', { status: 500 }],
    ['answers 429', { status: 429, headers: { 'retry-after': '1' } }],
    ['answers 502 with a page', { status: 502, body: '<html>success:false write key</html>' }],
    ['resets before it has processed', { reset: 'before' }],
    ['resets after it has processed', { reset: 'after' }],
  ]
  for (const [what, fault] of faults) {
    test(`that ${what}: everything arrives once, the same each time, in order, with few requests`, async () => {
      const { segment } = rig.sims
      segment.script(fault)
      for (let n = 0; n < 5; n++) await postOfEach(6, n)
      await pass(hour)
      assert.ok(segment.requests.length <= 24, `${segment.requests.length} requests in an hour`)
      for (let n = 5; n < 8; n++) await postOfEach(6, n)
      assert.equal(installed()?.state, 'live')
      segment.script(undefined)
      const took = await passTime(async () => (await rig.outcomes()).delivered === 48)
      assert.ok(took <= 16 * minute, `${took} ms after it was over`)
      assert.equal(segment.accepted.length, 48)
      assert.equal(sameEachTime(segment.requests), 48)
      assert.deepEqual(segment.rejected, [])
      for (const seen of Object.values(updatesOf(segment.accepted))) assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7])
      const times = segment.requests.map(({ body }) => Date.parse(JSON.parse(body).sentAt))
      assert.deepEqual(
        times,
        times.toSorted((one, other) => one - other),
      )
      assert.equal(new Set(times).size, times.length, 'sentAt is the time of each attempt')
    })
  }

  test('that refuses connections', async () => {
    const { segment } = rig.sims
    await post(update(1, 0))
    await delivered(1)
    await segment.close()
    for (let n = 1; n < 20; n++) await post(update(1, n))
    await pass(30 * minute)
    assert.deepEqual(await backlogNow(), { 'waiting: undefined': 19 })
    rig.sims.segment = await startSegment({ port: Number(new URL(segment.url).port) })
    await delivered(20)
    assert.deepEqual(updatesOf(rig.sims.segment.accepted), { 1: Array.from({ length: 19 }, (_, n) => n + 1) })
    assert.ok(rig.sims.segment.requests.length <= 2)
  })

  test('that outlasts a restart', async () => {
    const { segment } = rig.sims
    segment.script({ status: 503 })
    for (let n = 0; n < 10; n++) await post(update(1, n))
    await pass(10 * minute)
    await rig.restart()
    await pass(10 * minute)
    segment.script(undefined)
    await delivered(10)
    assert.equal(sameEachTime(segment.requests), 10)
    assert.deepEqual(updatesOf(segment.accepted)[1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

describe('a blocked account', options, () => {
  beforeEach(() => start())

  const key400 = { success: false, message: 'An invalid write key was provided' }
  const [toAnHour, few] = [
    [1, 2, 4, 8, 16, 32, 60, 60],
    [1, 2],
  ]
  const refusals: [string, SegmentAction, minutes?: number[]][] = [
    ['segment_401', { status: 401 }, toAnHour],
    ['segment_403', { status: 403, body: '<html>' }],
    ['segment_404', { status: 404 }],
    ['write_key_refused', { status: 400, body: key400 }],
    ['segment_success_false', { status: 200, body: { success: false } }],
    ['segment_redirect', { redirect: 'http://127.0.0.1:9/' }],
    ['segment_refuses_all', { status: 413 }],
  ]
  for (const [reason, answer, wanted = few] of refusals) {
    test(`${reason}: is held and shown, probed ever less often, and goes on when a probe is taken`, async () => {
      const { segment } = rig.sims
      await rig.command('installs pause', { given: { org: String(org) } })
      for (let n = 0; n < 4; n++) await post(update(1, n))
      segment.script(answer)
      await rig.command('installs resume', { given: { org: String(org) } })
      await eventually(() => installed()?.state === 'needs_attention')
      assert.equal(reasonOf(installed()!), reason)
      await eventually(async () => (await backlogNow())[`waiting: ${reason}`] === 4)
      assert.equal((await rig.outcomes()).held, 4)

      const first = segment.requests.length
      const probes: number[] = []
      for (const minutes of wanted) {
        const before = clock.now()
        await passTime(() => segment.requests.length === first + probes.length + 1)
        probes.push(clock.now() - before)
        const { batch } = JSON.parse(segment.requests.at(-1)!.body) as { batch: unknown[] }
        assert.equal(batch.length, 1)
        assert.ok(Math.abs(probes.at(-1)! - minutes * minute) <= 10_000, `${probes.at(-1)} ms for ${minutes} minutes`)
        await eventually(async () => (await rig.service.store.storage.inbox.nextDue('send'))! > clock.now())
      }

      await post(update(1, 4))
      assert.equal((await rig.outcomes()).held, 5)
      segment.script(undefined)
      await delivered(5)
      assert.deepEqual(updatesOf(segment.accepted), { 1: [0, 1, 2, 3, 4] })
      await eventually(() => installed()?.state === 'live')
      assert.equal(installed()?.reason, undefined)
      assert.equal(sameEachTime(segment.requests), 5)
    })
  }

  test('goes on at once with a new key, and everything goes under that', async () => {
    const { segment } = rig.sims
    const newKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
    segment.forKey(writeKey, { status: 401 })
    for (let n = 0; n < 4; n++) await post(update(1, n))
    await eventually(() => installed()?.state === 'needs_attention')
    await rig.command('installs add', { given: { org: String(org) }, stdin: JSON.stringify({ writeKey: newKey }) })
    await eventually(() => segment.accepted.length === 4)
    assert.ok(segment.accepted.every((one) => one.writeKey === newKey))
    assert.deepEqual(updatesOf(segment.accepted), { 1: [0, 1, 2, 3] })
    await settled(rig)
    assert.equal(installed()?.state, 'live')
  })

  test('goes on at once when a person resumes it', async () => {
    const { segment } = rig.sims
    segment.script({ status: 404 })
    for (let n = 0; n < 4; n++) await post(update(1, n))
    await eventually(() => installed()?.state === 'needs_attention')
    // Its next probe is minutes away.
    await pass(10 * minute)
    segment.script(undefined)
    await rig.command('installs resume', { given: { org: String(org) } })
    await eventually(() => segment.accepted.length === 4)
    await settled(rig)
  })

  test('stays blocked over a restart, and its probes go on', async () => {
    const { segment } = rig.sims
    segment.script({ status: 403 })
    for (let n = 0; n < 3; n++) await post(update(1, n))
    await eventually(async () => (await backlogNow())['waiting: segment_403'] === 3)
    await rig.restart()
    assert.deepEqual(await backlogNow(), { 'waiting: segment_403': 3 })
    assert.equal(installed()?.state, 'needs_attention')
    segment.script(undefined)
    await delivered(3)
    assert.equal(JSON.parse(segment.requests.at(-2)!.body).batch.length, 1)
    await eventually(() => installed()?.state === 'live')
  })

  test('paused: accepts, sends nothing, and sends all in order when it is resumed, under steady traffic', async () => {
    const { segment } = rig.sims
    await rig.command('installs pause', { given: { org: String(org) } })
    await eventually(() => installed()?.state === 'paused')
    for (let n = 0; n < 10; n++) await post(update(1, n))
    await pass(10 * minute)
    assert.deepEqual(await backlogNow(), { 'waiting: paused': 10 })
    assert.equal(segment.requests.length, 0)
    // The service has not noticed yet when the next webhook makes it look.
    await rig.command('installs resume', { given: { org: String(org) } })
    for (let n = 10; n < 40; n++) await post(update(1, n))
    await delivered(40)
    assert.deepEqual(updatesOf(segment.accepted), { 1: Array.from({ length: 40 }, (_, n) => n) })
  })
})

describe('an account whose Segment is elsewhere', options, () => {
  let europe: SegmentSim
  beforeEach(async () => {
    europe = await startSegment({ region: 'eu' })
    await start({ env: { SEGMENT_API_URL_EU: europe.url } })
  })
  afterEach(() => europe.close())

  test('goes on at once when its region is set right', async () => {
    const { segment } = rig.sims
    segment.script({ status: 401 })
    for (let n = 0; n < 3; n++) await post(update(1, n))
    await eventually(() => installed()?.state === 'needs_attention')
    await rig.command('installs add', { given: { org: String(org), region: 'eu' }, stdin: '{}' })
    await eventually(() => europe.accepted.length === 3)
    await settled(rig)
    assert.deepEqual(segment.accepted, [])
    assert.equal(installed()?.state, 'live')
  })
})

test('without a write key events are kept with the reason, and go when it comes', options, async () => {
  await start({ installed: false })
  await install(rig, org, {})
  for (let n = 0; n < 5; n++) await post(update(1, n))
  await pass(10 * minute)
  assert.deepEqual(await backlogNow(), { 'waiting: no_write_key': 5 })
  assert.equal(installed()?.state, 'waiting_for_key')
  assert.equal(rig.sims.segment.requests.length, 0)
  await rig.command('installs add', { given: { org: String(org) }, stdin: JSON.stringify({ writeKey }) })
  for (let n = 5; n < 20; n++) await post(update(1, n))
  await delivered(20)
  assert.deepEqual(updatesOf(rig.sims.segment.accepted), { 1: Array.from({ length: 20 }, (_, n) => n) })
})
