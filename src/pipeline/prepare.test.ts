import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Stage, startStage } from '../../test/stage.ts'
import { sendLease } from './send-lane.ts'

const minute = 60_000

describe('a lease that sends', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await startStage()
    await stage.install()
  })
  afterEach(() => stage.close())

  const accepted = () => stage.sims.segment.accepted.length
  const requests = () => stage.sims.segment.requests.length
  const arrive = async (many: number) => {
    for (let vary = 0; vary < many; vary++) await stage.arrive('new_conversation', { vary })
  }

  test('goes on to what follows in the queue, in whole requests, until the queue is as good as empty', async () => {
    const needs = { ...stage.needs, messagesMax: 10 }
    await arrive(53)
    await sendLease(needs, (await stage.claim('send', 10))!)
    const sizes = stage.sims.segment.requests.map(({ body }) => JSON.parse(body).batch.length)
    assert.deepEqual([accepted(), sizes.slice(0, 5), requests()], [53, [10, 10, 10, 10, 10], 6])
    assert.equal(await stage.step('send'), false)
  })

  test('after a failure goes with one request, and stays with what it was given', async () => {
    const needs = { ...stage.needs, messagesMax: 10 }
    await arrive(53)
    stage.sims.segment.script({ status: 503 })
    await sendLease(needs, (await stage.claim('send', 10))!)
    const failed = requests()
    assert.ok(failed <= 8, `${failed} requests before the first answer is heard`)
    stage.clock.advance(15 * minute)
    await sendLease(needs, (await stage.claim('send', 10))!)
    assert.equal(requests(), failed + 1)
    stage.sims.segment.script(undefined)
    stage.clock.advance(15 * minute)
    await sendLease(needs, (await stage.claim('send', 10))!)
    assert.equal(accepted(), 10)
    await stage.run()
    assert.equal(accepted(), 53)
  })
})
