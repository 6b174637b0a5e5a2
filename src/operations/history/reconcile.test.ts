import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addConversations,
  begin,
  conversation,
  hourMs,
  id,
  identified,
  reconcile,
  tracked,
} from '../../../test/history.ts'
import { eachStage, org, type Stage } from '../../../test/stage.ts'
import { erasedKey } from './keys.ts'

let stage: Stage
eachStage((fresh) => {
  stage = fresh
})

describe('a comparison with Drift', () => {
  test('says what is missing and why as far as that is known, and sends exactly that when it is asked to', async () => {
    addConversations(stage, 4)
    await stage.arrive({ type: 'new_conversation', orgId: org, data: { ...conversation(stage, 2), orgId: org } })
    await stage.storage.inbox.markErased(id, [erasedKey(stage.keyring, id, '10003')])
    stage.clock.advance(5 * hourMs)
    const at = stage.clock.now() - 2 * hourMs
    stage.sims.drift.addOrg({ orgId: org, conversations: [conversation(stage, 50, { at })] })
    const look = await reconcile(stage, { dryRun: true })
    const { known, erased, missing, why_not_installed, why_unknown, sent } = look.counts
    assert.deepEqual([known, erased, missing, why_not_installed, why_unknown, sent], [1, 1, 3, 2, 1, undefined])
    const job = await reconcile(stage)
    assert.equal(job.counts.sent, 3)
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), ['2', '4', '5', '50'])
    assert.deepEqual(identified(stage), [])
    assert.equal((await reconcile(stage, { dryRun: true })).counts.missing, undefined)
  })
})

test('of one account one backfill or comparison is there at a time', async () => {
  await begin(stage, 'backfill')
  await assert.rejects(begin(stage, 'reconcile'), /another runs/)
})
