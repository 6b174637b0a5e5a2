import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { readFixture } from '../events/fixtures.ts'
import type { JsonObject } from '../lib/json.ts'

const id = String(org)
const [minute, hour] = [60_000, 3_600_000]
const path = '/conversations/*'

/** As Drift’s gateway answers a token that has run out. */
const expired = { status: 401, body: { error: 'invalid_token', error_description: 'The access token is invalid' } }

describe('a lookup at Drift, whose a conversation is,', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const asked = () => stage.sims.drift.count(path)
  const accepted = () => stage.sims.segment.accepted.map(({ message }) => message)
  const install = async () => (await stage.storage.installs.get(id))!
  const states = async () => (await stage.backlog()).map(({ state, reason, count }) => [state, reason, count])
  /** Another change in the same conversation. */
  const change = (changedAt: number, conversationId = 3969744678): JsonObject => ({
    type: 'conversation_participant_added',
    orgId: org,
    data: { conversationId, addedParticipants: [1], changedAt },
  })
  /** All that is due, while time stands but for the moment that a refused grant takes. */
  const run = async () => {
    let ended = false
    void stage.run().then(() => (ended = true))
    await eventually(() => {
      if (!ended && stage.clock.untilNext() === 1_000) stage.clock.advance(1_000)
      return ended
    })
  }

  test('once for all that wait for the same one, and their order stays', async () => {
    await stage.arrive('conversation_participant_added')
    for (let at = 1; at <= 20; at++) await stage.arrive(change(at))
    await run()
    assert.equal(asked(), 1)
    const times = accepted().map(({ properties }) => (properties as { changedAt: number }).changedAt)
    assert.deepEqual(
      times.slice(1),
      Array.from({ length: 20 }, (_, at) => at + 1),
    )
    assert.ok(accepted().every(({ anonymousId }) => anonymousId === '21760595678'))
  })

  test('never again for one that was answered', async () => {
    await stage.arrive('conversation_participant_added')
    await run()
    await stage.arrive(change(1))
    await stage.arrive('conversation_participant_removed')
    await run()
    const { drift } = await readFixture('conversation_participant_removed')
    const same = (drift.data as JsonObject).conversationId === 3969744678
    assert.equal(asked(), same ? 1 : 2)
    assert.equal(accepted().length, 3)
  })

  test('never for one that a new_conversation has begun', async () => {
    await stage.arrive('new_conversation')
    await stage.arrive(change(1, 3969707702))
    await run()
    await stage.arrive(change(2, 3969707702))
    await run()
    assert.equal(asked(), 0)
    assert.deepEqual(
      accepted().map(({ anonymousId }) => anonymousId),
      ['21760538950', '21760538950', '21760538950'],
    )
  })

  test('each time for a conversation_push, unless it carries all', async () => {
    const { drift, conversation } = await readFixture('conversation_push')
    const data = drift.data as JsonObject
    await stage.arrive('conversation_push')
    await stage.arrive({ ...drift, data: { ...data, pushedAt: 2 } })
    await run()
    await stage.arrive({ ...drift, data: { ...data, pushedAt: 3 } })
    await run()
    assert.equal(asked(), 2, 'two that wait share one answer, a later one asks again')
    await stage.arrive({ ...drift, data: { ...conversation, ...data, pushedAt: 4 } })
    await run()
    assert.equal(asked(), 2)
    assert.equal(accepted().length, 4)
    for (const { anonymousId } of accepted()) assert.equal(anonymousId, String(conversation!.contactId))
    const pushes = accepted().map(({ properties }) => properties as JsonObject)
    assert.deepEqual(
      pushes.map(({ pushedAt }) => pushedAt),
      [data.pushedAt, 2, 3, 4],
    )
  })

  test('a conversation without a usable contact is asked for again, and never sent under another id', async () => {
    const { conversation } = await readFixture('conversation_participant_added')
    for (const contactId of [null, 0, -1, '', 'abc', 1.5, {}]) {
      stage.sims.drift.script(path, { status: 200, body: { data: { ...conversation, contactId } } })
      await stage.arrive(change(1 + Math.random()))
      await run()
      stage.clock.advance(15 * minute)
    }
    assert.deepEqual(accepted(), [])
    assert.deepEqual(await states(), [['asking', undefined, 7]])
  })

  for (const shape of ['errors', 'error'] as const) {
    test(`404 for three days (in "${shape}"): dead then, and not before`, async () => {
      stage.sims.drift.settings.notFoundShape = shape
      await stage.arrive(change(1, 999))
      await run()
      for (let hours = 0; hours < 72; hours++) {
        assert.deepEqual(await states(), [['asking', undefined, 1]], `after ${hours} hours`)
        stage.clock.advance(hour - (hours === 71 ? 1 : 0))
        await run()
      }
      assert.deepEqual(await states(), [['asking', undefined, 1]])
      stage.clock.advance(15 * minute)
      await run()
      assert.deepEqual(await states(), [['dead', 'conversation_missing', 1]])
      assert.deepEqual(accepted(), [])
    })
  }

  test('404 and a clock that leaps ahead by a week: that is not yet three days of answers', async () => {
    await stage.arrive(change(1, 999))
    await run()
    stage.clock.step(7 * 24 * hour)
    for (let answers = 0; answers < 10; answers++) {
      assert.deepEqual(await states(), [['asking', undefined, 1]])
      stage.clock.advance(15 * minute)
      await run()
    }
    stage.clock.step(-7 * 24 * hour)
    stage.sims.drift.addOrg({ orgId: org, conversations: [{ id: 999, contactId: 5 }] })
    stage.clock.advance(15 * minute)
    await stage.storage.inbox.clockSetBack(7 * 24 * hour, stage.clock.now())
    await run()
    assert.equal(accepted().length, 1)
  })

  test('404 for a while, because it is young, then found', async () => {
    await stage.arrive(change(1, 999))
    await run()
    stage.sims.drift.addOrg({ orgId: org, conversations: [{ id: 999, contactId: 5 }] })
    stage.clock.advance(1_000)
    await run()
    assert.deepEqual(
      accepted().map(({ anonymousId }) => anonymousId),
      ['5'],
    )
  })

  test("the gateway's own 404 says nothing of a conversation", async () => {
    stage.sims.drift.script(path, { status: 404, body: { message: 'no Route matched with those values' } })
    await stage.arrive(change(1))
    for (let days = 0; days < 5; days++) {
      await run()
      stage.clock.advance(24 * hour)
    }
    assert.deepEqual(await states(), [['asking', undefined, 1]])
  })

  test('in an outage later and later, at most 15 minutes apart, with nothing lost and the order kept', async () => {
    const { drift } = stage.sims
    const faults = [
      { status: 429 },
      { status: 500 },
      { reset: 'before' },
      { status: 200, body: 'x' },
      { reset: 'after' },
    ] as const
    let turn = 0
    drift.script(path, () => faults[turn++ % faults.length]!)
    await stage.arrive('conversation_participant_added')
    const start = stage.clock.now()
    const times: number[] = []
    while (stage.clock.now() < start + 3 * hour) {
      const before = asked()
      await run()
      assert.equal(asked(), before + 1, 'one lookup each time')
      times.push(stage.clock.now())
      if (times.length === 3) await stage.arrive(change(1))
      const due = await stage.storage.inbox.nextDue('ask')
      stage.clock.advance(due! - stage.clock.now())
    }
    const gaps = times.slice(1).map((at, index) => at - times[index]!)
    assert.ok(Math.max(...gaps) <= 15 * minute, `${gaps}`)
    assert.ok(Math.min(...gaps.slice(12)) >= 7 * minute, `${gaps}`)
    assert.ok(times.length < 45, `${times.length} tries in three hours`)
    drift.script(path, undefined)
    stage.clock.advance(15 * minute)
    await run()
    assert.deepEqual(
      accepted().map(({ properties }) => (properties as JsonObject).changedAt),
      [1714422673598, 1],
    )
  })

  test('one that Drift never answers well does not keep the others waiting for ever', async () => {
    stage.sims.drift.script('/conversations/666', { status: 500 })
    await stage.arrive(change(1, 666))
    let most = 0
    for (let vary = 1; vary <= 40; vary++) {
      await stage.arrive('conversation_participant_added', { vary, contact: vary })
      const before = stage.clock.now()
      while (accepted().length < vary) {
        await run()
        if (accepted().length < vary) stage.clock.advance(500)
      }
      if (vary > 20) most = Math.max(most, stage.clock.now() - before)
      stage.clock.advance(10_000)
    }
    assert.ok(most <= minute, `one waited ${most} ms`)
    assert.deepEqual((await states()).filter(([state]) => state === 'asking').length, 1)
  })

  test('401: the grant is refreshed once and the lookup made again', async () => {
    const { drift } = stage.sims
    drift.script(path, [expired, expired, expired])
    for (let vary = 0; vary < 3; vary++) await stage.arrive('conversation_participant_added', { vary, contact: vary })
    await run()
    assert.equal(drift.count('/oauth2/token'), 1)
    assert.equal(asked(), 6)
    assert.equal(accepted().length, 3)
  })

  test('401 also with a fresh token: one refresh, then the account is blocked, and a probe ends it', async () => {
    const { drift } = stage.sims
    drift.script(path, expired)
    await stage.arrive('conversation_participant_added')
    await run()
    assert.deepEqual([drift.count('/oauth2/token'), asked()], [1, 2])
    assert.deepEqual(await states(), [['asking', 'drift_token_refused', 1]])
    assert.equal((await install()).state, 'needs_attention')
    drift.script(path, undefined)
    stage.clock.advance(minute)
    await run()
    assert.equal((await install()).state, 'live')
    assert.equal(accepted().length, 1)
  })

  test('a dead refresh token blocks lookups, while what needs none is sent; a new install releases what waits', async () => {
    const { drift } = stage.sims
    drift.revokeAll()
    await stage.arrive('conversation_participant_added')
    await run()
    assert.deepEqual(await states(), [['asking', 'grant_dead', 1]])
    assert.deepEqual([(await install()).state, (await install()).reason], ['needs_attention', 'grant_dead'])
    await stage.arrive('new_conversation')
    await run()
    assert.equal(accepted().length, 1)
    const before = drift.requests.length
    for (let hours = 0; hours < 10; hours++) {
      stage.clock.advance(hour)
      await run()
    }
    assert.ok(drift.requests.length - before <= 22, `${drift.requests.length - before} requests in ten hours`)
    await stage.install()
    await run()
    assert.deepEqual(
      accepted().map(({ anonymousId }) => anonymousId),
      ['21760538950', '21760595678'],
    )
    assert.equal((await install()).state, 'live')
  })
})
