import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountAtDrift } from '../../test/account-at-drift.ts'
import { eventually } from '../../test/clock.ts'
import { errorPages } from '../../test/error-pages.ts'
import { eachStage, org, type Stage, stageSecret } from '../../test/stage.ts'
import { systemRandom } from '../lib/random.ts'
import { erasedKey } from '../operations/history/keys.ts'
import { outcomesOf } from '../operations/totals.ts'
import { followStates, openAccounts } from './accounts.ts'
import { configureAccount } from './add-account.ts'
import { firstOf } from './destinations.ts'
import { openGrant } from './grant.ts'
import { openKeyring } from './keyring.ts'
import { paused } from './state.ts'
import { savedWriteKey } from './write-key.ts'

const id = String(org)

describe('Drift says that an account disconnected', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const { install, saysSo, uninstall } = accountAtDrift(() => stage)
  const step = () => stage.stepInTime('ask')
  const askLane = async () => (await stage.storage.lookup.lanes(id)).find(({ lane }) => lane === 'ask')!
  const send = async () => {
    while (await stage.step('send'));
  }

  test('forged: while Drift is asked nothing is sent, then everything is, and nothing was erased', async () => {
    const before = await install()
    await stage.arrive('new_conversation')
    await saysSo()
    stage.sims.drift.script('/app/token_info', [{ delayMs: 1_000 }])
    const confirming = stage.step('ask')
    await eventually(() => stage.sims.drift.count('/app/token_info') === 1)
    await stage.arrive('new_conversation', { vary: 1 })
    assert.equal(await stage.step('send'), false)
    assert.ok((await stage.backlog()).some(({ reason, count }) => reason === 'disconnecting' && count === 2))
    stage.clock.advance(1_000)
    await confirming
    await send()
    assert.equal(stage.sims.segment.accepted.length, 2)
    const { generation, updatedAt } = await install()
    assert.deepEqual(await install(), { ...before, generation, updatedAt })
    assert.equal(stage.sims.drift.count('/app/token_info'), 1)
  })

  test('forged, and the access token has just run out: it is refreshed, and nothing is erased', async () => {
    await stage.arrive('new_conversation')
    await saysSo()
    stage.clock.advance(2 * 3_600_000)
    await step()
    await send()
    assert.equal(stage.sims.segment.accepted.length, 1)
    assert.equal((await install()).state, 'live')
  })

  test('forged, and something in Drift’s place knows no token: a grant that Drift renews is alive', async () => {
    for (const [who, body] of errorPages)
      for (const status of [400, 401, 403, 404]) {
        stage.sims.drift.script('/app/token_info', { status, body })
        await saysSo()
        await step()
        assert.deepEqual([(await install()).state, (await install()).reason], ['live', undefined], who)
        stage.clock.advance(60_000)
      }
  })

  test('true or not, while something answers in Drift’s place: nothing is sent and nothing is erased', async () => {
    const { drift } = stage.sims
    await stage.arrive('new_conversation')
    await saysSo()
    uninstall()
    const before = await install()
    for (const [who, body] of errorPages)
      for (const status of [200, 400, 401, 403, 404]) {
        for (const path of ['/app/token_info', '/oauth2/token']) drift.script(path, { status, body })
        await step()
        const after = await install()
        assert.deepEqual([after.grant, after.reason], [before.grant, 'disconnecting'], who)
        assert.equal(firstOf(after).key, firstOf(before).key, who)
        assert.equal(await stage.step('send'), false)
        stage.clock.advance(1_000 * 2 ** Math.min((await askLane()).failures, 9))
      }
    for (const path of ['/app/token_info', '/oauth2/token']) drift.script(path, undefined)
    stage.clock.advance(15 * 60_000)
    await step()
    assert.equal((await install()).state, 'disconnected')
  })

  test('forged, of a blocked account: it goes on, and the refusal is found and ended as ever', async () => {
    const { segment } = stage.sims
    segment.script([{ status: 401 }, { status: 401 }])
    await stage.arrive('new_conversation')
    await send()
    assert.equal((await install()).state, 'needs_attention')
    await saysSo()
    await step()
    await send()
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason: 'segment_401', count: 1 }])
    assert.equal(firstOf(await install()).reason, 'segment_401')
    stage.clock.advance(60_000)
    await send()
    assert.equal(segment.accepted.length, 1)
    assert.equal((await install()).state, 'live')
  })

  test('forged, of an account that an admin paused: it stays paused', async () => {
    await stage.accounts.change(id, stage.clock.now(), paused)
    await stage.arrive('new_conversation')
    await saysSo()
    await step()
    assert.equal(await stage.step('send'), false)
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'waiting', reason: 'paused', count: 1 }])
  })

  test('truly: secrets and bodies are gone, what comes later is ignored, and it can be installed again', async () => {
    await stage.arrive('new_conversation')
    await stage.arrive('conversation_push')
    await stage.storage.conversations.remember(id, new Map([['1', '2']]))
    const [body] = (await stage.claim('send'))!.bodies
    const recipient = { org: id, id: 'a', channel: 'slack', sealed: Buffer.from('sealed'), createdAt: 1 } as const
    const entry = { at: 1, org: id, who: 'an admin', what: 'added where alerts go', about: 'slack' }
    await stage.storage.alerts.addRecipient(recipient, { recipients: 1, ofChannel: 1 }, entry)
    await saysSo()
    uninstall()
    await step()
    const after = await install()
    const { grant, refreshAt, state } = after
    assert.deepEqual([grant, firstOf(after).key, refreshAt, state], [undefined, undefined, undefined, 'disconnected'])
    assert.deepEqual(await stage.backlog(), [])
    assert.deepEqual(await stage.storage.alerts.recipients(), [])
    assert.equal((await stage.storage.conversations.recall(id, ['1'])).size, 0)
    await assert.rejects(stage.keyring.open('bodies', body!.sealed), { code: 'key_forgotten' })

    await stage.arrive('new_conversation', { vary: 1 })
    await saysSo()
    assert.deepEqual(await stage.backlog(), [])
    assert.equal(await stage.step('send'), false)
    assert.equal(stage.sims.segment.requests.length, 0)
    assert.deepEqual(outcomesOf(await stage.storage.ledger.totals(), await stage.storage.ledger.backlog()), {
      received: 5,
      backfilled: 0,
      delivered: 0,
      waiting: 0,
      held: 0,
      dead: 0,
      ignored: 2,
      expired: 3,
      duplicates: 0,
    })

    await stage.install()
    await stage.arrive('new_conversation', { vary: 2 })
    await stage.run()
    assert.equal(stage.sims.segment.accepted.length, 1)
  })

  test('truly: who was erased is forgotten too, and history brings them in when it is connected again', async () => {
    const marks = [erasedKey(stage.keyring, id, '7')]
    const marked = () => stage.storage.inbox.occurred(id, marks)
    await stage.storage.inbox.markErased(id, marks)
    assert.deepEqual(await marked(), [[0]])
    await saysSo()
    uninstall()
    await step()
    await stage.install()
    assert.deepEqual(await marked(), [[]])
  })

  for (const status of [403, 500])
    test(`while a lookup is under way that then fails (${status}): it is asked about at once, not when that is tried again`, async () => {
      const own = { error: { type: 'no', message: 'No.' } }
      stage.sims.drift.script('/conversations/*', { delayMs: 1_000, status, body: own })
      await stage.arrive('conversation_participant_added')
      await stage.step('send')
      const looking = stage.step('ask')
      await eventually(() => stage.sims.drift.count('/conversations/*') === 1)
      await saysSo()
      let isDone = false
      void looking.then(() => (isDone = true))
      // After a 403 the grant is renewed, and Drift is asked once more.
      await eventually(() => {
        if (!isDone) stage.clock.advance(1_000)
        return isDone
      })
      uninstall()
      assert.ok(await step())
      assert.equal((await install()).state, 'disconnected')
    })

  test('while Drift is down: nothing is sent and nothing is erased until it answers', async () => {
    await stage.arrive('new_conversation')
    await saysSo()
    const down = [
      { status: 503 },
      { reset: 'before' },
      { status: 429 },
      { status: 200, body: 'x' },
      { status: 500 },
    ] as const
    stage.sims.drift.script('/app/token_info', down)
    let tries = 0
    while (stage.sims.drift.count('/app/token_info') < down.length) {
      tries += Number(await stage.step('ask'))
      assert.equal(await stage.step('send'), false)
      assert.equal((await install()).state, 'live')
      stage.clock.advance(500)
    }
    assert.equal(tries, down.length)
    const restarted = await stage.another()
    await followStates(stage.storage.inbox, restarted.accounts.all(), stage.clock.now())
    assert.equal(await stage.step('send'), false, 'a restart forgets nothing')
    assert.ok((await stage.backlog()).some(({ reason }) => reason === 'disconnecting'))
    stage.clock.advance(15 * 60_000)
    uninstall()
    await step()
    assert.equal((await install()).state, 'disconnected')
    assert.equal(stage.sims.segment.requests.length, 0)
  })

  test('connected again while Drift was asked about the old grant: the new one is asked about, and nothing is erased', async () => {
    await stage.arrive('new_conversation')
    await saysSo()
    uninstall()
    stage.sims.drift.script('/oauth2/token', [{ delayMs: 5_000 }])
    const confirming = stage.step('ask')
    await eventually(() => stage.sims.drift.count('/oauth2/token') === 1)
    await stage.accounts.change(id, stage.clock.now(), ({ reason: _, ...kept }) => kept)
    const { change } = stage.accounts
    // The last moment at which it can happen: the old grant has been found dead.
    stage.accounts.change = async (...given) => {
      stage.accounts.change = change
      await stage.install()
      return change(...given)
    }
    let isDone = false
    void confirming.then(() => (isDone = true))
    await eventually(() => {
      if (!isDone) stage.clock.advance(100)
      return isDone
    })
    assert.equal((await install()).state, 'live')
    stage.clock.advance(60_000)
    await step()
    await send()
    assert.equal(stage.sims.segment.accepted.length, 1)
  })

  test('an account that connects again while its departure is still being erased has a grant, a key and events of its own', async () => {
    const { inbox, installs, vault } = stage.storage
    await stage.arrive('new_conversation')
    const erase = inbox.erase
    const sealed = await stage.keyring.seal(id, 'a place', 'of before')
    // Another process, which does not hear of the departure.
    const keyring = await openKeyring(vault, [{ id: 'test', secret: stageSecret }], systemRandom)
    const accounts = await openAccounts(installs, { ...inbox, erase })
    let isConnectedAgain = false
    inbox.erase = async (of) => {
      if (!isConnectedAgain) {
        isConnectedAgain = true
        const named = { grant: { accessToken: 'again', refreshToken: 'again' }, writeKey: 'again' }
        await configureAccount({ accounts, keyring, clock: stage.clock }, id, named, 'another')
        await stage.arrive('new_conversation', { vary: 2 })
      }
      return erase(of)
    }
    await stage.disconnect.leave(id, 'admin')
    assert.equal((await openGrant(stage.keyring, await install()))?.accessToken, 'again')
    assert.equal(await savedWriteKey(stage.keyring, id, firstOf(await install())), 'again')
    for (const each of [stage.keyring, keyring])
      await assert.rejects(each.open('a place', sealed), { code: 'key_forgotten' })
    assert.equal((await stage.claim('send'))?.entries.length, 1)
  })

  test('the lease that was under way settles nothing of an account that has gone', async () => {
    await stage.arrive('new_conversation')
    const lease = (await stage.claim('send'))!
    await stage.disconnect.leave(id, 'admin')
    const [entry] = lease.entries
    const settled = [{ id: entry!.id, to: 'delivered' as const, at: stage.clock.now() }]
    assert.equal(await stage.storage.inbox.settle(lease, settled, { readyAt: 0, failures: 0 }), false)
    assert.equal(await stage.storage.inbox.renew(lease, stage.clock.now() + 1_000), false)
    await stage.disconnect.erase(id)
    assert.equal((await install()).state, 'disconnected')
  })
})
