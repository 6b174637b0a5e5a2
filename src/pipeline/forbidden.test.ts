/** Drift's own 403: a scope that is missing for one conversation or for all, and never the end of a grant. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import type { JsonObject } from '../lib/json.ts'

const id = String(org)
const minute = 60_000
const path = '/conversations/*'
const forbidden = { status: 403, body: { error: { type: 'forbidden', message: 'No.' } } }
let stage: Stage
eachStage((made) => {
  stage = made
})

const accepted = () => stage.sims.segment.accepted.length
const refreshes = () => stage.sims.drift.count('/oauth2/token')
const account = async () => {
  const { state, reason } = (await stage.storage.installs.get(id))!
  return [state, reason]
}
const pending = async () => {
  const { entries } = await stage.storage.lookup.find({ org: id, states: ['asking'] }, { limit: 9 })
  return entries.map(({ reason }) => reason)
}
const join = (conversationId: number): JsonObject => ({
  type: 'conversation_participant_added',
  orgId: org,
  data: { conversationId, addedParticipants: [1], changedAt: conversationId },
})
const arriveOthers = async () => {
  for (let vary = 0; vary < 3; vary++) await stage.arrive('conversation_participant_added', { vary, contact: vary })
}

test('for one conversation alone: it waits with the reason, and nothing else does', async () => {
  stage.sims.drift.script('/conversations/666', forbidden)
  await stage.arrive(join(666))
  await arriveOthers()
  await stage.run()
  assert.equal(accepted(), 3)
  assert.deepEqual([await pending(), await account()], [['drift_forbidden'], ['live', undefined]])
  stage.sims.drift.addOrg({ orgId: org, conversations: [{ id: 666, contactId: 6 }] })
  stage.sims.drift.script('/conversations/666', undefined)
  stage.clock.advance(1_000)
  await stage.run()
  assert.equal(accepted(), 4)
})

test('for the first conversation of the queue: the next probe asks about another, and what is not forbidden goes', async () => {
  stage.sims.drift.script('/conversations/666', forbidden)
  await stage.arrive(join(666))
  await stage.run()
  assert.deepEqual(await account(), ['needs_attention', 'drift_forbidden'])
  await arriveOthers()
  for (const minutes of [0, 1, 2]) {
    stage.clock.advance(minutes * minute)
    await stage.run()
  }
  assert.equal(accepted(), 3)
  assert.equal((await pending()).length, 1)
})

test('for all: the account is held, one new token is tried and not one a probe, and a probe ends it', async () => {
  stage.sims.drift.script(path, forbidden)
  await stage.arrive('conversation_participant_added')
  for (const minutes of [0, 1, 2, 4]) {
    stage.clock.advance(minutes * minute)
    await stage.run()
    assert.deepEqual([await pending(), await account()], [['drift_forbidden'], ['needs_attention', 'drift_forbidden']])
  }
  assert.deepEqual([stage.sims.drift.count(path), refreshes()], [5, 1])
  stage.sims.drift.script(path, undefined)
  stage.clock.advance(8 * minute)
  await stage.run()
  assert.deepEqual([accepted(), await account()], [1, ['live', undefined]])
})

test('for all: after it was connected again it goes on at once', async () => {
  stage.sims.drift.script(path, [forbidden, forbidden])
  await stage.arrive('conversation_participant_added')
  await stage.run()
  assert.deepEqual(await pending(), ['drift_forbidden'])
  await stage.install()
  await stage.run()
  assert.equal(accepted(), 1)
})

test('with a private token, which nothing can renew: the account is held, and its grant is not called dead', async () => {
  await stage.install(org, { accessToken: stage.sims.drift.privateToken(org) })
  stage.sims.drift.script(path, [forbidden])
  await stage.arrive('conversation_participant_added')
  await stage.run()
  assert.deepEqual([await pending(), await account()], [['drift_forbidden'], ['needs_attention', 'drift_forbidden']])
  stage.clock.advance(minute)
  await stage.run()
  assert.deepEqual([accepted(), refreshes(), await account()], [1, 0, ['live', undefined]])
})
