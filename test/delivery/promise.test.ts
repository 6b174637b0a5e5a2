/** The promise, whole: each contact's order, no account in another's way, each thing once, whatever goes wrong. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { firstOf } from '../../src/accounts/destinations.ts'
import { eventually, seeded } from '../clock.ts'
import {
  backlogNow,
  delivered,
  hour,
  installed,
  joins,
  options,
  pass,
  passTime,
  post,
  rig,
  sameEachTime,
  start,
  update,
  updatesOf,
} from '../promise.ts'
import { install, org, settled, writeKey } from '../rig.ts'

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
    drift.revokeAll()
    await post(says)
    await passTime(() => installed()?.state === 'disconnected')
    await passTime(async () => (await rig.outcomes()).expired === 3)
    segment.script(undefined)
    await post(update(1, 1))
    const { received, ignored, waiting, held } = await rig.outcomes()
    assert.deepEqual({ received, ignored, waiting, held }, { received: 4, ignored: 1, waiting: 0, held: 0 })
    const left = (await rig.service.store.storage.installs.get(String(org)))!
    assert.deepEqual([left.grant, firstOf(left).key], [undefined, undefined])
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
    assert.equal((await backlogNow())['waiting: disconnecting'], 6)
    drift.script('/app/token_info', undefined)
    drift.script('/oauth2/token', undefined)
    await delivered(6)
    assert.deepEqual(updatesOf(segment.accepted), { 1: [0, 1, 2, 3, 4, 5] })
    assert.equal(installed()?.state, 'live')
    assert.equal((await rig.outcomes()).expired, 0)
  })
})
