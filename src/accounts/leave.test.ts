import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { addsUp, outcomesOf } from '../operations/totals.ts'
import type { Action } from '../sim/index.ts'
import { firstOf } from './destinations.ts'
import type { Left } from './disconnect.ts'

const id = String(org)

describe('an admin disconnects an account', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const uninstalls = () => stage.sims.drift.requests.filter(({ path }) => path === '/app/uninstall')
  const audited = async () => (await stage.storage.audit.list(id, 9)).map(({ who, what }) => `${who}: ${what}`)
  const session = { kind: 'session', id: 'a-digest', org: id, who: 'admin', at: 0, until: 9e15 } as const

  test('the grant is ended at Drift, everything is erased, sessions too, and the counts stay', async () => {
    await stage.arrive('new_conversation')
    await stage.run()
    await stage.arrive('new_conversation', { vary: 1 })
    await stage.storage.tickets.issue(session, 9)
    await stage.storage.tickets.issue({ ...session, org: '9', id: 'another' }, 9)
    assert.deepEqual(await stage.disconnect.leave(id, 'admin'), { is: 'revoked' })
    const after = (await stage.storage.installs.get(id))!
    assert.deepEqual([after.grant, firstOf(after).key, after.state], [undefined, undefined, 'disconnected'])
    assert.equal(stage.sims.drift.accessTokens.size + stage.sims.drift.refreshTokens.size, 0)
    assert.deepEqual(
      uninstalls().map(({ query }) => [...query.keys()]),
      [['clientId', 'clientSecret']],
    )
    assert.equal(await stage.storage.tickets.get(session, 1), undefined)
    assert.ok(await stage.storage.tickets.get({ ...session, id: 'another' }, 1))
    const outcomes = outcomesOf(await stage.storage.ledger.totals(), await stage.storage.ledger.backlog())
    assert.deepEqual([outcomes.received, outcomes.delivered, outcomes.expired, addsUp(outcomes)], [2, 1, 1, true])
    assert.deepEqual(await audited(), ['admin: disconnected'])
  })

  test('twice, and at once: it is one entry of the audit', async () => {
    await Promise.all([stage.disconnect.leave(id, 'one'), stage.disconnect.leave(id, 'other')])
    await stage.disconnect.leave(id, 'one')
    assert.equal((await audited()).length, 1)
    assert.ok(uninstalls().length <= 2)
  })

  test('with an access token that has run out: it is refreshed first', async () => {
    stage.clock.advance(2 * 3_600_000)
    assert.deepEqual(await stage.disconnect.leave(id, 'admin'), { is: 'revoked' })
    assert.equal(stage.sims.drift.refreshTokens.size, 0)
  })

  const unreached: [what: string, action: Action][] = [
    ['is down', { status: 503 }],
    ['hangs up', { reset: 'before' }],
    ['does not know our app', { status: 401, body: { error: 'invalid_client', error_description: 'No.' } }],
    ['is behind a proxy’s page', { status: 401, body: '<html>' }],
    ['is behind a portal that says 200', { status: 200, body: '<html>' }],
  ]
  for (const [what, action] of unreached) {
    test(`Drift ${what}: all is erased the same, and the audit says that Drift did not confirm`, async () => {
      stage.sims.drift.script('/app/uninstall', () => action)
      const left = await stage.disconnect.leave(id, 'admin')
      assert.equal(left.is, 'unrevoked')
      assert.equal((await stage.storage.installs.get(id))?.state, 'disconnected')
      assert.deepEqual(await audited(), ['admin: disconnected; Drift did not confirm that its grant has ended'])
    })
  }

  const unended: [what: string, grant: Uint8Array | undefined, left: Left, note: string][] = [
    ['has no grant', undefined, { is: 'no_grant' }, 'no grant was kept, so none was ended at Drift'],
    [
      'has a grant that does not open',
      Buffer.alloc(99, 1),
      { is: 'unrevoked', reason: 'sealed_unreadable' },
      'Drift did not confirm that its grant has ended',
    ],
  ]
  for (const [what, grant, left, note] of unended)
    test(`an account that ${what}: all is erased, and nothing says that Drift ended a grant`, async () => {
      await stage.accounts.change(id, stage.clock.now(), ({ grant: _, ...kept }) => (grant ? { ...kept, grant } : kept))
      assert.deepEqual(await stage.disconnect.leave(id, 'admin'), left)
      assert.equal((await stage.storage.installs.get(id))?.state, 'disconnected')
      assert.equal(uninstalls().length, 0)
      assert.deepEqual(await audited(), [`admin: disconnected; ${note}`])
    })

  test('an account that is not there leaves no trace of having left', async () => {
    await stage.disconnect.leave('424242', 'admin')
    assert.equal(await stage.storage.installs.get('424242'), undefined)
    assert.equal(uninstalls().length, 0)
  })
})
