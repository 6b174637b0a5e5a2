// biome-ignore-all lint/style/noExcessiveLinesPerFile: the promise from end to end on one rig.
/**
 * The promise, whole: the real service on a file between the simulators, through outages, bad keys and floods. The clock
 * is turned by the tests, so hours of backing off take no time. What Segment took, and all it was sent, is the oracle.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import { addsUp } from '../../src/operations/totals.ts'
import { type SegmentAction, type SegmentSim, startSegment } from '../../src/sim/index.ts'
import type { Received } from '../../src/sim/server.ts'
import { eventually, type ManualClock, manualClock, seeded, timePasses } from '../clock.ts'
import { install, org, type Rig, type RigOptions, settled, startRig, writeKey } from '../rig.ts'

const [minute, hour] = [60_000, 3_600_000]
const options = { timeout: 60_000 }

let rig: Rig
let clock: ManualClock

async function start(more: RigOptions = {}): Promise<void> {
  // Ahead of the system's clock, by which commands beside the service go.
  clock = manualClock(Date.now() + hour)
  rig = await startRig({ clock, ...more })
}

afterEach(async () => {
  assert.ok(addsUp(await rig.sums()))
  // First, so that nothing hangs on its answer.
  await rig.sims.segment.close()
  await rig.close()
})

/** A contact's n-th change; it needs no asking. */
function update(contact: number, n: number): JsonObject {
  const data = { endUserId: contact, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] }
  return { type: 'contact_updated', orgId: org, data }
}

/** The n-th change in a contact's conversation; Drift must be asked whose it is. */
function joins(contact: number, n: number): JsonObject {
  const data = { conversationId: contact + 1_000_000, addedParticipants: [1], changedAt: n }
  return { type: 'conversation_participant_added', orgId: org, data }
}

async function post(event: JsonObject | string, more: object = {}): Promise<void> {
  const { status } = await rig.sims.drift.send(event, { to: rig.to, orgId: org, ...more })
  assert.equal(status, 200)
}

/** The n-th change of each of the first contacts, at once. */
async function postOfEach(contacts: number, n: number): Promise<void> {
  await Promise.all(Array.from({ length: contacts }, (_, at) => post(update(at + 1, n))))
}

/** So many looks, at least 3 ms apart, that show the same: what is under way waits for the clock, such as for a deadline. */
const looksAlike = { idle: 3, atWork: 50 }

/** Something is under way as long as a lane is leased or the partners get requests; then the clock stands. */
function busy(): () => Promise<boolean> {
  let [before, alike] = ['', 0]
  return async () => {
    const { segment, drift } = rig.sims
    const leased = await isAtWork()
    const now = `${segment.requests.length + drift.requests.length} ${leased}`
    alike = now === before ? alike + 1 : 0
    before = now
    return alike < (leased ? looksAlike.atWork : looksAlike.idle)
  }
}

async function isAtWork(): Promise<boolean> {
  const { storage, accounts } = rig.service.store
  // Answered after whatever a timer has just begun.
  await storage.inbox.nextDue('send')
  const lanes = await Promise.all(accounts.all().map((install) => storage.lookup.lanes(install.org)))
  return lanes.flat().some(({ leaseUntil }) => leaseUntil !== undefined && leaseUntil > clock.now())
}

async function passTime(isSo: () => boolean | Promise<boolean>): Promise<number> {
  return timePasses(clock, isSo, busy(), () => rig.sims.segment.requests.length)
}

/** Lets so much time pass, in steps short enough that nothing is skipped. */
async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms
  await passTime(() => clock.now() >= end)
}

async function delivered(many: number): Promise<void> {
  await passTime(async () => (await rig.sums()).delivered === many)
}

async function standing(): Promise<Record<string, number>> {
  const standings = await rig.service.store.storage.ledger.standings()
  return Object.fromEntries(
    standings.flatMap(({ state, reason, count }) => (state === 'delivered' ? [] : [[`${state}: ${reason}`, count]])),
  )
}

const installed = () => rig.service.store.accounts.get(String(org))

/** Every message of these requests as the text it was sent as. */
function messagesIn(requests: readonly Received[]): { messageId: string; text: string }[] {
  return requests.flatMap(({ body }) => {
    const { batch } = JSON.parse(body) as { batch: JsonObject[] }
    return batch.map((message) => {
      const text = JSON.stringify(message)
      assert.ok(body.includes(text))
      return { messageId: String(message.messageId), text }
    })
  })
}

/** Whatever was sent more than once was the same, byte for byte; returns how many different messages there were. */
function sameEachTime(requests: readonly Received[]): number {
  const texts = new Map<string, string>()
  for (const { messageId, text } of messagesIn(requests)) {
    assert.equal(texts.get(messageId) ?? text, text)
    texts.set(messageId, text)
  }
  assert.equal(new Set(texts.values()).size, texts.size)
  return texts.size
}

/** The n of each contact's updates, in the order in which Segment first took them. */
function updatesOf(accepted: readonly { message: JsonObject }[]): Record<string, number[]> {
  const seen: Record<string, number[]> = {}
  for (const { message } of accepted) {
    const { n } = (message.traits ?? {}) as { n?: number }
    const contact = String(message.anonymousId)
    if (n !== undefined) seen[contact] = [...(seen[contact] ?? []), n]
  }
  return seen
}

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
      const took = await passTime(async () => (await rig.sums()).delivered === 48)
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
    assert.deepEqual(await standing(), { 'waiting: undefined': 19 })
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

describe('an account in trouble', options, () => {
  beforeEach(() => start())

  const key400 = { success: false, message: 'An invalid write key was provided' }
  const [toAnHour, few] = [
    [1, 2, 4, 8, 16, 32, 60, 60],
    [1, 2],
  ]
  const troubles: [string, SegmentAction, minutes?: number[]][] = [
    ['segment_401', { status: 401 }, toAnHour],
    ['segment_403', { status: 403, body: '<html>' }],
    ['segment_404', { status: 404 }],
    ['write_key_refused', { status: 400, body: key400 }],
    ['segment_success_false', { status: 200, body: { success: false } }],
    ['segment_redirect', { redirect: 'http://127.0.0.1:9/' }],
    ['segment_refuses_all', { status: 413 }],
  ]
  for (const [reason, answer, wanted = few] of troubles) {
    test(`${reason}: is held and shown, probed ever less often, and goes on when a probe is taken`, async () => {
      const { segment } = rig.sims
      await rig.command('installs pause', { given: { org: String(org) } })
      for (let n = 0; n < 4; n++) await post(update(1, n))
      segment.script(answer)
      await rig.command('installs resume', { given: { org: String(org) } })
      await eventually(() => installed()?.state === 'needs_attention')
      assert.equal(installed()?.reason, reason)
      await eventually(async () => (await standing())[`waiting: ${reason}`] === 4)
      assert.equal((await rig.sums()).held, 4)

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
      assert.equal((await rig.sums()).held, 5)
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
    await pass(2 * hour)
    segment.script(undefined)
    await rig.command('installs resume', { given: { org: String(org) } })
    await eventually(() => segment.accepted.length === 4)
    await settled(rig)
  })

  test('stays in trouble over a restart, and its probes go on', async () => {
    const { segment } = rig.sims
    segment.script({ status: 403 })
    for (let n = 0; n < 3; n++) await post(update(1, n))
    await eventually(async () => (await standing())['waiting: segment_403'] === 3)
    await rig.restart()
    assert.deepEqual(await standing(), { 'waiting: segment_403': 3 })
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
    await pass(hour)
    assert.deepEqual(await standing(), { 'waiting: paused': 10 })
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
  await pass(hour)
  assert.deepEqual(await standing(), { 'waiting: no_write_key': 5 })
  assert.equal(installed()?.state, 'waiting_for_key')
  assert.equal(rig.sims.segment.requests.length, 0)
  await rig.command('installs add', { given: { org: String(org) }, stdin: JSON.stringify({ writeKey }) })
  for (let n = 5; n < 20; n++) await post(update(1, n))
  await delivered(20)
  assert.deepEqual(updatesOf(rig.sims.segment.accepted), { 1: Array.from({ length: 20 }, (_, n) => n) })
})

describe('order', options, () => {
  beforeEach(() => start())

  for (const seed of [1, 2, 3]) {
    test(`of each contact is the order of commit, whatever goes wrong on the way (seed ${seed})`, async () => {
      const { segment, drift } = rig.sims
      const random = seeded(seed)
      const faults = [
        { status: 500 },
        { status: 429 },
        { reset: 'before' },
        { reset: 'after' },
        { status: 401 },
      ] as const
      const fault = () => (random() < 0.4 ? faults[Math.floor(random() * faults.length)] : undefined)
      segment.script(fault)
      drift.script('/conversations/*', () => {
        const found = fault()
        return found && 'status' in found && found.status === 401 ? { status: 404 } : found
      })
      const [contacts, each] = [12, 25]
      drift.addOrg({
        orgId: org,
        conversations: Array.from({ length: contacts }, (_, at) => ({ id: at + 1 + 1_000_000, contactId: at + 1 })),
      })
      let posted = false
      const posting = Promise.all(
        Array.from({ length: contacts }, async (_, at) => {
          for (let n = 0; n < each; n++) {
            await post(update(at + 1, n))
            if (n % 5 === at % 5) await post(joins(at + 1, n))
          }
        }),
      ).then(() => (posted = true))
      await passTime(() => posted)
      await posting
      const all = contacts * (each + 5)
      await delivered(all)
      assert.equal(segment.accepted.length, all)
      assert.equal(sameEachTime(segment.requests), all)
      const inOrder = Array.from({ length: each }, (_, n) => n)
      const seen = updatesOf(segment.accepted)
      for (let contact = 1; contact <= contacts; contact++) assert.deepEqual(seen[contact], inOrder)
      for (const { message } of segment.accepted) {
        const { conversationId } = (message.properties ?? {}) as { conversationId?: number }
        if (conversationId) assert.equal(message.anonymousId, String(conversationId - 1_000_000))
      }
    })
  }
})

describe('fairness', options, () => {
  const [loud, quiet] = [org, 777]
  const quietKey = 'quiet-write-key-0123456789abcdef'
  beforeEach(async () => {
    await start()
    await install(rig, quiet, { writeKey: quietKey })
  })

  test('one account’s thousands of events do not make another account wait', async () => {
    const { segment, drift } = rig.sims
    await rig.command('installs pause', { given: { org: String(loud) } })
    await eventually(() => installed()?.state === 'paused')
    await Promise.all(
      Array.from({ length: 25 }, async (_, contact) => {
        for (let n = 0; n < 80; n++) await post(update(contact + 1, n))
      }),
    )
    let sent: Promise<unknown> | undefined
    segment.forKey(writeKey, () => {
      sent ??= drift.send('new_conversation', { to: rig.to, orgId: quiet })
      return { delayMs: 20 }
    })
    await rig.command('installs resume', { given: { org: String(loud) } })
    await eventually(() => segment.accepted.length === 2_001)
    await sent
    const order = segment.requests.map(({ body }) => JSON.parse(body).writeKey === quietKey)
    assert.ok(order.indexOf(true) <= 3, `after ${order.indexOf(true)} of ${order.length} requests`)
    assert.ok(order.length >= 5)
    await settled(rig)
  })

  test('an account whose key hangs holds up no other account', async () => {
    const { segment, drift } = rig.sims
    segment.forKey(writeKey, { hang: true })
    await post(update(1, 0))
    await eventually(() => segment.requests.length === 1)
    for (let vary = 0; vary < 20; vary++) await drift.send('new_conversation', { to: rig.to, orgId: quiet, vary })
    await eventually(() => segment.accepted.length === 20)
    assert.ok(segment.accepted.every((one) => one.writeKey === quietKey))
  })

  test('an account whose Drift hangs holds up no other account, nor its own other events', async () => {
    const { segment, drift } = rig.sims
    const first = drift.script.bind(drift, '/conversations/*')
    first([{ delayMs: hour }])
    await post(joins(1, 0))
    await eventually(() => drift.count('/conversations/*') === 1)
    await post(update(1, 0))
    await drift.send('conversation_participant_added', { to: rig.to, orgId: quiet })
    await eventually(() => segment.accepted.length === 2)
    await drift.close()
  })
})

test('a conversation that was asked for once is never asked for again, over a restart too', options, async () => {
  await start()
  const { drift } = rig.sims
  drift.addOrg({ orgId: org, conversations: [{ id: 1_000_007, contactId: 7 }] })
  for (let n = 1; n <= 3; n++) {
    await post(joins(7, n))
    await delivered(n)
    await rig.restart()
  }
  assert.equal(drift.count('/conversations/*'), 1)
})

test('closing under load loses nothing, and the next start delivers the rest', options, async () => {
  await start()
  const { drift, segment } = rig.sims
  drift.addOrg({
    orgId: org,
    conversations: Array.from({ length: 8 }, (_, at) => ({ id: at + 1_000_000, contactId: at + 1 })),
  })
  let answered = 0
  const posting = Array.from({ length: 8 }, async (_, at) => {
    for (let n = 0; n < 100; n++) {
      const event = n % 3 === 0 ? joins(at, n) : update(at + 1, n)
      // What is not answered 200 is sent again, as Drift would.
      while ((await drift.send(event, { to: rig.to })).status !== 200) await new Promise(setImmediate)
      answered++
    }
  })
  for (let round = 1; round <= 4; round++) {
    await eventually(() => answered > round * 150)
    await rig.restart()
  }
  await Promise.all(posting)
  await delivered(800)
  assert.equal(segment.accepted.length, 800)
  assert.equal(sameEachTime(segment.requests), 800)
  const inOrder = Array.from({ length: 100 }, (_, n) => n).filter((n) => n % 3 !== 0)
  for (const seen of Object.values(updatesOf(segment.accepted))) assert.deepEqual(seen, inOrder)
})

describe('Drift says that an account disconnected', options, () => {
  beforeEach(() => start())
  const says = { type: 'app_disconnected', orgId: org, data: { at: 1 } }

  test('and Drift confirms it: nothing of the account is left, and what comes later is ignored until it is installed again', async () => {
    const { drift, segment } = rig.sims
    segment.script({ status: 503 })
    await post(update(1, 0))
    await post(joins(1, 0))
    drift.accessTokens.clear()
    drift.refreshTokens.clear()
    await post(says)
    await passTime(() => installed()?.state === 'disconnected')
    await passTime(async () => (await rig.sums()).expired === 3)
    segment.script(undefined)
    await post(update(1, 1))
    const { received, ignored, waiting, held } = await rig.sums()
    assert.deepEqual({ received, ignored, waiting, held }, { received: 4, ignored: 1, waiting: 0, held: 0 })
    const { grant, writeKey: key } = (await rig.service.store.storage.installs.get(String(org)))!
    assert.deepEqual([grant, key], [undefined, undefined])
    await rig.restart()
    assert.equal(installed()?.state, 'disconnected')
    await install(rig)
    await post(update(1, 2))
    await delivered(1)
    assert.deepEqual(updatesOf(segment.accepted), { 1: [2] })
  })

  test('and it is not so, while Drift is down and over a restart: the account pauses until Drift answers, then all goes on', async () => {
    const { drift, segment } = rig.sims
    drift.script('/app/token_info', { status: 500 })
    drift.script('/oauth2/token', { status: 500 })
    await post(says)
    await eventually(() => drift.count(/token/) > 0)
    await eventually(() => installed()?.reason === 'disconnecting')
    for (let n = 0; n < 3; n++) await post(update(1, n))
    await pass(hour)
    await rig.restart()
    for (let n = 3; n < 6; n++) await post(update(1, n))
    await pass(hour)
    assert.equal(segment.requests.length, 0)
    assert.ok(drift.count(/token/) <= 60, `${drift.count(/token/)} requests in two hours`)
    assert.equal((await standing())['waiting: disconnecting'], 6)
    drift.script('/app/token_info', undefined)
    drift.script('/oauth2/token', undefined)
    await delivered(6)
    assert.deepEqual(updatesOf(segment.accepted), { 1: [0, 1, 2, 3, 4, 5] })
    assert.equal(installed()?.state, 'live')
    assert.equal((await rig.sums()).expired, 0)
  })
})
