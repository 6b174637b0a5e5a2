import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountAtDrift } from '../../test/account-at-drift.ts'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { followStates } from './accounts.ts'
import { firstOf } from './destinations.ts'

const id = String(org)

describe('Drift says that an account disconnected, and cannot say it twice', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const { install, saysSo, uninstall } = accountAtDrift(() => stage)
  const step = () => stage.stepInTime('ask')
  const change = (edit: (known: Install) => Install) => stage.accounts.change(id, stage.clock.now(), edit)

  const unasked: [what: string, prepare: () => Promise<unknown>][] = [
    [
      'a private token, which nothing can renew',
      async () => stage.install(org, { accessToken: stage.sims.drift.privateToken(org) }),
    ],
    ['no grant', async () => change(({ grant: _, ...kept }) => kept)],
    ['a grant that does not open', async () => change((kept) => ({ ...kept, grant: Buffer.alloc(99, 1) }))],
  ]
  for (const [what, prepare] of unasked)
    test(`for an account with ${what}: sending pauses, nothing is erased, and a person decides`, async () => {
      await prepare()
      const before = await install()
      await stage.arrive('new_conversation')
      await saysSo()
      uninstall()
      await step()
      const after = await install()
      const { grant, state, reason } = after
      assert.deepEqual([grant, firstOf(after).key, state], [before.grant, firstOf(before).key, before.state])
      assert.equal(reason, 'disconnect_unproven')
      assert.equal(await stage.step('send'), false)
      assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason: 'disconnect_unproven', count: 1 }])
      const [entry] = await stage.storage.audit.list(id, 9)
      assert.match(`${entry!.who}: ${entry!.what}`, /^Drift: .*sending is paused until a person decides$/)
      const restarted = await stage.another()
      await followStates(stage.storage.inbox, restarted.accounts.all(), stage.clock.now())
      assert.equal(await stage.step('send'), false, 'a restart forgets nothing')
    })

  test('because the token belongs to another account: a person decides', async () => {
    await stage.install(org, { ...stage.sims.drift.issueToken(77), expiresAt: stage.clock.now() + 7_200_000 })
    await saysSo()
    await step()
    assert.equal((await install()).reason, 'disconnect_unproven')
  })

  test('but knows the private token of the account: sending goes on, also after a person was asked before', async () => {
    const accessToken = stage.sims.drift.privateToken(org)
    await stage.install(org, { accessToken })
    const expired = { status: 401, body: { error: 'invalid_token', error_description: 'No.' } }
    stage.sims.drift.script('/app/token_info', [expired])
    for (const reason of ['disconnect_unproven', undefined]) {
      await saysSo()
      await step()
      assert.equal((await install()).reason, reason)
    }
    await stage.arrive('new_conversation')
    while (await stage.step('send'));
    assert.equal(stage.sims.segment.accepted.length, 1)
  })

  test('because it gives no clear answer for a day: a person decides, and need not wait for it', async () => {
    const { drift } = stage.sims
    for (const path of ['/app/token_info', '/oauth2/token']) drift.script(path, { status: 502, body: '<html>' })
    const began = stage.clock.now()
    await stage.arrive('new_conversation')
    await saysSo()
    while ((await install()).reason !== 'disconnect_unproven') {
      assert.ok(stage.clock.now() - began < 24 * 3_600_000 + 15 * 60_000)
      await step()
      stage.clock.advance(15 * 60_000)
    }
    assert.ok(stage.clock.now() - began >= 24 * 3_600_000)
    assert.equal(await stage.step('send'), false)
    assert.equal(await stage.step('ask'), false)
  })
})
