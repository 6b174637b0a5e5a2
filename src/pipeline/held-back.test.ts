/** An account that is paused, or may have left, while its events are being sent. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { confirmed, paused, questioned, resumed } from '../accounts/state.ts'

const id = String(org)
let stage: Stage
beforeEach(async () => {
  stage = await startStage()
  await stage.install()
})
afterEach(() => stage.close())

for (const [what, stop, goOn, reason] of [
  ['a person pauses the account', paused, resumed, 'paused'],
  ['Drift says that the account disconnected', questioned, confirmed, 'disconnecting'],
] as const)
  test(`when ${what}, no request begins after those under way, and the rest goes later, each once`, async () => {
    const { segment } = stage.sims
    stage.needs.messagesMax = 1
    for (let vary = 0; vary < 20; vary++) await stage.arrive('new_conversation', { vary, contact: vary })
    segment.script({ delayMs: 1_000 })
    const sending = stage.step('send')
    await eventually(() => segment.requests.length === 16)
    await stage.accounts.change(id, stage.clock.now(), stop)
    stage.clock.advance(1_000)
    await sending
    segment.script(undefined)
    assert.equal(segment.requests.length, 16)
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason, count: 4 }])
    const lane = (await stage.storage.lookup.lanes(id)).find(({ lane: name }) => name === 'send')
    assert.deepEqual([lane?.failures, lane?.lastError], [0, undefined], 'it does not count as a failure')
    await stage.accounts.change(id, stage.clock.now(), goOn)
    await stage.run()
    assert.equal(segment.requests.length, 20)
    assert.equal(new Set(segment.accepted.map(({ message }) => message.messageId)).size, 20)
  })
