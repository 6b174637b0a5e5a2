import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountAtDrift } from '../../test/account-at-drift.ts'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { judgeTokens } from '../drift/oauth.ts'
import { grantOf } from './grant.ts'

const id = String(org)
const tokenPath = '/oauth2/token'
const [hour, day] = [3_600_000, 86_400_000]
const answered = (body: object) => ({ status: 200, headers: {}, body: JSON.stringify(body) })

describe('a grant', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const { stored, refreshes, isLive } = accountAtDrift(() => stage)

  for (const expires_in of [undefined, null, 0, -1, '0', '', 'soon', {}, 7_200, '7200'])
    test(`without a refresh token, said to last ${JSON.stringify(expires_in)}, is used until Drift refuses it`, async () => {
      const accessToken = stage.sims.drift.privateToken(org)
      const answer = judgeTokens(answered({ access_token: accessToken, expires_in }))
      assert.equal(answer.is, 'granted')
      if (answer.is === 'granted') await stage.install(org, grantOf(answer.tokens, stage.clock.now()))
      stage.clock.advance(90 * day)
      assert.deepEqual(await stage.grants.access(id), { is: 'token', token: accessToken })
      await stage.arrive('conversation_participant_added')
      await stage.run()
      assert.equal(stage.sims.segment.accepted.length, 1)
      assert.equal(refreshes(), 0)
    })

  test('that lasts for good, by Drift’s word, is not renewed by our clock, but kept alive, and renewed when it is refused', async () => {
    stage.sims.drift.settings.expiresIn = 0
    stage.clock.advance(2 * hour)
    await stage.grants.access(id)
    const { accessToken, expiresAt } = await stored()
    assert.equal(expiresAt, undefined)
    stage.clock.advance(day)
    assert.deepEqual(await stage.grants.access(id), { is: 'token', token: accessToken })
    stage.clock.advance(2 * day)
    await stage.grants.keepAlive()
    assert.equal(refreshes(), 2)
    const renewed = await stage.grants.renewed(id, (await stored()).accessToken)
    assert.ok(renewed.is === 'token' && isLive(renewed.token))
  })

  test('that Drift renews with another account’s pair keeps its own, until Drift names the right one', async () => {
    const before = await stored()
    stage.clock.advance(2 * hour)
    stage.sims.drift.script(tokenPath, [{ body: { access_token: 'a', refresh_token: 'r', orgId: 77 } }])
    assert.deepEqual(await stage.grants.access(id), { is: 'later', reason: 'drift_other_account' })
    assert.deepEqual(await stored(), before)
    assert.equal((await stage.grants.access(id)).is, 'token')
  })
})
