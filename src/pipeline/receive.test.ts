/** What becomes of a webhook whose account leaves. What is received of others is test/webhook/bad-input.test.ts. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { addsUp, sumsOf } from '../operations/totals.ts'

describe('a webhook of an account that', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await startStage()
    await stage.install()
  })
  afterEach(async () => {
    const { ledger } = stage.storage
    assert.ok(addsUp(sumsOf(await ledger.totals(), await ledger.standings())))
    await stage.close()
  })

  test('has left is ignored and not kept, readable or not', async () => {
    await stage.disconnect.erase(String(org))
    await stage.arrive('new_conversation')
    await stage.arrive({ type: 'contact_updated', orgId: org, data: ['Ada'] })
    assert.deepEqual(await stage.standings(), [])
  })

  test('leaves while it is on its way to the store does not stay behind', async () => {
    const { inbox } = stage.storage
    const { append } = inbox
    inbox.append = async (batch) => {
      inbox.append = append
      await stage.disconnect.erase(String(org))
      return append(batch)
    }
    await stage.arrive('new_conversation')
    assert.deepEqual(await stage.standings(), [])
  })
})
