import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { org, type Stage, startStage, writeKey } from '../../test/stage.ts'
import { changeWriteKey } from '../accounts/change-key.ts'
import { changeDestination } from '../accounts/destinations.ts'
import { paused, reasonOf, resumed } from '../accounts/state.ts'
import { sealWriteKey } from '../accounts/write-key.ts'
import type { JsonObject } from '../lib/json.ts'
import { addsUp, outcomesOf } from '../operations/totals.ts'
import { sendLane } from '../storage/ports/entry.ts'

const id = String(org)
const minute = 60_000

describe('one lease of the send lane', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await startStage()
    await stage.install()
  })
  afterEach(async () => {
    const { ledger } = stage.storage
    assert.ok(addsUp(outcomesOf(await ledger.totals(), await ledger.backlog())))
    await stage.close()
  })

  const install = async () => (await stage.storage.installs.get(id))!
  const accepted = () => stage.sims.segment.accepted.map(({ message }) => message)
  const requests = () => stage.sims.segment.requests.length
  const arrive = async (many: number, from = 0) => {
    for (let vary = from; vary < from + many; vary++) await stage.arrive('new_conversation', { vary })
  }
  /** A step that is cut short by its deadline. */
  const stepUntilDeadline = async () => {
    const before = requests()
    const stepping = stage.step('send')
    await eventually(() => requests() > before)
    stage.clock.advance(15_000)
    await stepping
  }
  const big = (bytes: number): JsonObject => ({
    type: 'contact_updated',
    orgId: org,
    data: {
      endUserId: 7,
      timestamp: stage.clock.now(),
      diff: [{ name: 'attributes.note', updated: 'ß'.repeat(bytes / 2) }],
    },
  })

  test('whose write key does not open: the account is held, none of its events is quarantined, and a new key mends it', async () => {
    await arrive(3)
    await stage.accounts.change(id, stage.clock.now(), (known) =>
      changeDestination(known, 1, { key: Buffer.alloc(99, 1).toString('base64') }),
    )
    for (let probe = 0; probe < 20; probe++) {
      await stage.step('send')
      stage.clock.advance(60 * minute)
    }
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason: 'write_key_unreadable', count: 3 }])
    await changeWriteKey(stage.needs, id, {
      writeKey,
      region: 'us',
      by: 'admin',
      replaces: 'unreadable',
    })
    await stage.run()
    assert.equal(accepted().length, 3)
  })

  test('with a message over 32,000 bytes: that is dead, its neighbours go', async () => {
    await arrive(1)
    await stage.arrive(big(32_000))
    await stage.arrive(big(31_000))
    await arrive(1, 1)
    await stage.run()
    assert.equal(accepted().length, 3)
    const dead = { org: id, state: 'dead', reason: 'message_too_large', count: 1 }
    assert.ok((await stage.backlog()).some((one) => JSON.stringify(one) === JSON.stringify(dead)))
    for (const { body } of stage.sims.segment.requests) assert.ok(Buffer.byteLength(body) <= 480_000)
  })

  for (const [what, fault] of [
    ['hangs', { hang: true }],
    ['comes a byte at a time', { drip: 1_000 }],
  ] as const) {
    test(`whose answer ${what} ends at its deadline and is sent again, the same`, async () => {
      stage.sims.segment.script([fault])
      await arrive(2)
      await stepUntilDeadline()
      assert.equal(await stage.step('send'), false, 'not at once')
      stage.clock.advance(1_000)
      await stage.step('send')
      const bodies = stage.sims.segment.requests.map(({ body }) => body.replace(/"sentAt":"[^"]+"/, ''))
      assert.deepEqual([bodies.length, bodies[0]], [2, bodies[1]])
      assert.equal(accepted().length, 2)
    })
  }

  test('whose answer is endless is not read to its end, and is tried again after a minute', async () => {
    stage.sims.segment.script([{ hugeBody: 1_000_000_000 }])
    await arrive(1)
    await stage.step('send')
    stage.clock.advance(60_000)
    await stage.step('send')
    assert.equal(requests(), 2)
    assert.equal(accepted().length, 1)
  })

  test('without a request, since only Drift knows whose its event is, does not count as an attempt', async () => {
    await stage.arrive('conversation_participant_added')
    await stage.step('send')
    const lanes = await stage.storage.lookup.lanes(id)
    assert.deepEqual(lanes.map(({ lane, triedAt }) => [lane, triedAt]).sort(), [
      ['ask', undefined],
      ['send', undefined],
    ])
  })

  test('that a person asked for takes no more than it was claimed with', async () => {
    const batch = 500
    await arrive(batch + 1)
    await stage.storage.inbox.retry(sendLane(id), stage.clock.now())
    await stage.step('send')
    assert.equal(accepted().length, batch)
  })

  test('that finds the account paused looks at the store again: it may have been resumed by another process', async () => {
    const other = await stage.another()
    await stage.accounts.change(id, stage.clock.now(), paused)
    await arrive(1)
    assert.equal(await stage.step('send'), false)
    await other.accounts.change(id, stage.clock.now(), resumed)
    assert.equal(stage.accounts.get(id)?.state, 'paused')
    await stage.step('send')
    assert.equal(accepted().length, 1)
  })

  test('that finds no install looks at the store again: another process may have added it', async () => {
    const beside = await stage.another()
    await stage.arrive('new_conversation', { orgId: 77 })
    const key = await sealWriteKey(stage.keyring, '77', 1, writeKey)
    await beside.accounts.change('77', stage.clock.now(), (blank) => changeDestination(blank, 1, { key }))
    await stage.step('send')
    assert.equal(accepted().length, 1)
  })

  test('refused under a key that was changed meanwhile does not block the new key', async () => {
    const { segment } = stage.sims
    const other = await stage.another()
    await arrive(2)
    segment.forKey(writeKey, { status: 401, delayMs: 50 })
    const sending = stage.step('send')
    await eventually(() => requests() === 1)
    const key = await sealWriteKey(stage.keyring, id, 1, 'a-new-write-key-0123456789')
    await other.accounts.change(id, stage.clock.now(), (known) => changeDestination(known, 1, { key }))
    await sending
    assert.equal((await install()).state, 'live')
    await stage.step('send')
    assert.equal(requests(), 2)
    assert.deepEqual(
      segment.accepted.map((one) => one.writeKey),
      ['a-new-write-key-0123456789', 'a-new-write-key-0123456789'],
    )
  })
})

describe('the probe of a blocked account', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await startStage()
    await stage.install()
  })
  afterEach(() => stage.close())

  const { stringify } = JSON
  const install = async () => (await stage.storage.installs.get(id))!
  const requests = () => stage.sims.segment.requests.length
  const send = async () => {
    while (await stage.step('send'));
  }

  test('is one entry, and its success ends the refusal for all', async () => {
    const { segment } = stage.sims
    segment.script([{ status: 403 }, { status: 403 }])
    for (let vary = 0; vary < 5; vary++) await stage.arrive('new_conversation', { vary })
    await send()
    stage.clock.advance(minute)
    await send()
    assert.equal(
      stringify(await stage.backlog()),
      stringify([{ org: id, state: 'waiting', reason: 'segment_403', count: 5 }]),
    )
    stage.clock.advance(2 * minute - 1)
    await send()
    assert.equal(requests(), 2)
    stage.clock.advance(1)
    await send()
    const sizes = segment.requests.map(({ body }) => JSON.parse(body).batch.length)
    assert.deepEqual(sizes, [5, 1, 1, 4])
    const { state, reason } = await install()
    assert.deepEqual([state, reason], ['live', undefined])
  })

  test('is not what needs no answer of Segment: that is settled, and the account stays blocked', async () => {
    const { segment } = stage.sims
    segment.script({ status: 401 })
    await stage.arrive('new_conversation')
    await send()
    stage.clock.advance(minute)
    const probe = (await stage.claim('send'))!
    await stage.storage.inbox.settle(probe, [{ id: probe.entries[0]!.id, to: 'ignored', at: 0, reason: 'empty' }], {
      readyAt: stage.clock.now(),
      failures: 4,
      blocked: 'segment_401',
    })
    await stage.arrive('conversation_push')
    await stage.arrive('new_conversation', { vary: 2 })
    await send()
    assert.equal(requests(), 2, 'the first entry asks Drift, the second is the probe')
    const held = (await stage.backlog()).find(({ state }) => state === 'waiting')
    assert.equal(held?.reason, 'segment_401')
    stage.clock.advance(15 * minute)
    await send()
    assert.equal(requests(), 2, 'and the doubling goes on where it was')
    stage.clock.advance(minute)
    await send()
    assert.equal(requests(), 3)
  })

  test('that is refused for itself does not hold the account for ever once its key is taken again', async () => {
    const { segment } = stage.sims
    for (let vary = 0; vary < 3; vary++) await stage.arrive('new_conversation', { vary })
    segment.script({ status: 401 })
    await send()
    segment.script({ refuseIf: ({ properties }) => (properties as { id: number }).id === 3969707702 })
    stage.clock.advance(minute)
    await send()
    assert.equal(segment.accepted.length, 2)
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'dead', reason: 'segment_400', count: 1 }])
    assert.equal(stage.sims.segment.accepted.length, 2)
    assert.equal((await install()).state, 'live')
  })

  test('ends the refusal also when its reason changed meanwhile', async () => {
    const { segment } = stage.sims
    await stage.arrive('new_conversation')
    segment.script([{ status: 401 }, { status: 404 }, { redirect: 'http://127.0.0.1:1/' }])
    for (const reason of ['segment_401', 'segment_404', 'segment_redirect']) {
      await send()
      assert.equal(reasonOf(await install()), reason)
      stage.clock.advance(60 * minute)
    }
    await send()
    assert.deepEqual([(await install()).state, segment.accepted.length], ['live', 1])
  })

  test('of an account whose every event is refused asks once a probe, and nothing is dead', async () => {
    stage.sims.segment.script({ status: 400 })
    for (let vary = 0; vary < 4; vary++) await stage.arrive('new_conversation', { vary })
    await send()
    assert.equal(requests(), 7)
    for (let hours = 0; hours < 5; hours++) {
      stage.clock.advance(60 * minute)
      await send()
    }
    assert.equal(requests(), 12)
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason: 'segment_refuses_all', count: 4 }])
    stage.sims.segment.script(undefined)
    stage.clock.advance(60 * minute)
    await send()
    assert.deepEqual(await stage.backlog(), [])
    assert.equal((await install()).state, 'live')
  })

  test('that two bad messages brought about ends by itself: after two hours a whole batch tells who is to blame', async () => {
    const { segment } = stage.sims
    segment.script({ refuseIf: ({ properties }) => (properties as { id: number }).id < 3969707704 })
    for (const vary of [0, 1]) await stage.arrive('new_conversation', { vary })
    await send()
    assert.equal(reasonOf(await install()), 'segment_refuses_all')
    for (const vary of [2, 3]) await stage.arrive('new_conversation', { vary })
    const startedAt = stage.clock.now()
    while (segment.accepted.length === 0 && stage.clock.now() - startedAt < 180 * minute) {
      stage.clock.advance(minute)
      await send()
    }
    assert.equal(segment.accepted.length, 2)
    assert.ok(stage.clock.now() - startedAt <= 125 * minute)
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'dead', reason: 'segment_400', count: 2 }])
    assert.equal((await install()).state, 'live')
  })
})
