import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { type Finish, type Finished, finishing } from './connect-finish.ts'

describe('a code becomes a grant', () => {
  let stage: Stage
  let finish: Finish
  beforeEach(async () => {
    stage = await startStage()
    finish = finisher()
  })
  afterEach(() => stage.close())

  const finisher = (single?: string) => {
    const { clientId, clientSecret } = stage.sims.drift.settings
    const { storage, sims, ...needs } = stage
    return finishing({
      ...needs,
      vault: storage.vault,
      apiUrl: sims.drift.url,
      app: { clientId, clientSecret },
      single,
    })
  }

  /** As Drift's consent page does it. */
  const code = (orgId = org) => {
    stage.sims.drift.addOrg({ orgId })
    const made = `code-${orgId}-${stage.sims.drift.codes.size}`
    ;(stage.sims.drift.codes as Map<string, { orgId: number; redirectUri: string }>).set(made, {
      orgId,
      redirectUri: '',
    })
    return made
  }
  const info = (app: string) => ({ body: { authenticated_userid: `orgId:${org}`, credential_id: app, scope: '' } })

  for (const path of ['/oauth2/token', '/app/token_info']) {
    test(`where ${path} does not answer in time the install is unavailable, and nothing is stored`, async () => {
      stage.sims.drift.script(path, () => ({ hang: true }))
      let finished: Finished | undefined
      void finish(code()).then((one) => (finished = one))
      await eventually(() => stage.sims.drift.count(path) === 1)
      await eventually(() => {
        stage.clock.advance(1_000)
        return finished !== undefined
      })
      assert.deepEqual(finished, { is: 'unfinished', why: 'unavailable', reason: 'TIMEOUT' })
      assert.deepEqual(await stage.storage.installs.list(), [])
    })
  }

  test('the app that Drift names at the first install is ours from then on, and so is the client id', async () => {
    const { drift } = stage.sims
    drift.script('/app/token_info', [info('a-number-of-drifts'), info('another'), info('a-number-of-drifts'), info('')])
    assert.equal((await finish(code())).is, 'installed')
    assert.deepEqual(await finish(code()), { is: 'unfinished', why: 'stranger' })
    assert.equal((await finish(code())).is, 'installed')
    assert.equal((await finish(code())).is, 'installed')
    assert.equal((await finish(code())).is, 'installed', 'the client id itself')
  })

  test('the account of the settings only proves itself: its grant is not replaced', async () => {
    await stage.install()
    const before = stage.accounts.get(String(org))
    const proving = finisher(String(org))
    assert.deepEqual(await proving(code()), { is: 'installed', org: String(org), isNew: false })
    assert.equal(stage.accounts.get(String(org)), before)
  })
})
