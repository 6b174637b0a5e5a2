/** A Retry-After is kept, whatever else was answered to the other requests of the same lease. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import type { Lane } from '../storage/ports/entry.ts'

const headers = { 'retry-after': '600' }
const wishedMs = 600_000

let stage: Stage
eachStage((made) => {
  stage = made
})

async function waits(lane: Lane) {
  const shown = (await stage.storage.lookup.lanes(String(org))).find(({ lane: name }) => name === lane)!
  const now = stage.clock.now()
  return { blocked: shown.blocked, readyMs: shown.readyAt! - now, retryAfterMs: shown.retryAfterAt! - now }
}

for (const statuses of [
  [503, 401],
  [401, 503],
] as const)
  test(`Segment answers ${statuses.join(' and ')} at once: the account is held, and not probed within the Retry-After`, async () => {
    const { segment } = stage.sims
    stage.needs.messagesMax = 1
    for (const contact of [1, 2]) await stage.arrive('new_conversation', { vary: contact, contact })
    let answered = 0
    segment.script(() => ({ status: statuses[answered++]!, headers, delayMs: 20 }))
    const sending = stage.step('send')
    await eventually(() => segment.requests.length === 2)
    stage.clock.advance(20)
    await sending
    assert.deepEqual(await waits('send'), { blocked: 'segment_401', readyMs: wishedMs, retryAfterMs: wishedMs })
  })

test('Drift answers 500, 429 and 500 at once: nothing is asked within the Retry-After', async () => {
  const conversations = '/conversations/*'
  for (const conversationId of [1, 2, 3]) {
    const data = { conversationId, addedParticipants: [1], changedAt: 1 }
    await stage.arrive({ type: 'conversation_participant_added', orgId: org, data })
  }
  stage.sims.drift.script(conversations, [{ status: 500 }, { status: 429, headers }, { status: 500 }])
  await stage.run()
  assert.equal(stage.sims.drift.count(conversations), 3)
  assert.deepEqual(await waits('ask'), { blocked: undefined, readyMs: wishedMs, retryAfterMs: wishedMs })
})
