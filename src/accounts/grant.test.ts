import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountAtDrift } from '../../test/account-at-drift.ts'
import { eventually } from '../../test/clock.ts'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import type { Grant } from './grant.ts'
import { gone, paused } from './state.ts'

const id = String(org)
const tokenPath = '/oauth2/token'
const [hour, day] = [3_600_000, 86_400_000]

describe('a grant', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const { stored, refreshes, isLive, uninstall: spoil } = accountAtDrift(() => stage)

  test('is used as it is while it is fresh', async () => {
    const { accessToken } = await stored()
    assert.deepEqual(await stage.grants.access(id), { is: 'token', token: accessToken })
    assert.equal(refreshes(), 0)
  })

  test('is refreshed once for fifty who ask at the same time, and all get the pair that was stored', async () => {
    const before = await stored()
    stage.clock.advance(2 * hour)
    const answers = await Promise.all(Array.from({ length: 50 }, () => stage.grants.access(id)))
    const after = await stored()
    assert.equal(refreshes(), 1)
    assert.notEqual(after.accessToken, before.accessToken)
    assert.notEqual(after.refreshToken, before.refreshToken)
    for (const answer of answers) assert.deepEqual(answer, { is: 'token', token: after.accessToken })
    assert.ok(isLive(after.accessToken))
  })

  test('is refreshed once for fifty whose token was refused, the late ones included', async () => {
    const { accessToken } = await stored()
    const answers = await Promise.all(Array.from({ length: 50 }, () => stage.grants.renewed(id, accessToken)))
    answers.push(await stage.grants.renewed(id, accessToken))
    assert.equal(refreshes(), 1)
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
  })

  test('is stored before anybody uses it', async () => {
    const { installs } = stage.storage
    const save = installs.save
    let storing = false
    installs.save = async (install) => {
      storing = true
      await new Promise(setImmediate)
      const saved = await save(install)
      storing = false
      return saved
    }
    stage.clock.advance(2 * hour)
    const answer = await stage.grants.access(id)
    assert.equal(storing, false)
    assert.deepEqual(answer, { is: 'token', token: (await stored()).accessToken })
  })

  test('is not given out when it could not be stored', async () => {
    const { installs } = stage.storage
    installs.save = () => Promise.reject(new Error('disk full'))
    stage.clock.advance(2 * hour)
    await assert.rejects(stage.grants.access(id), /disk full/)
  })

  test('that another process refreshes at the same time: the loser reads again and nothing is marked dead', async () => {
    for (let round = 0; round < 20; round++) {
      const parts = await Promise.all([stage.another(), stage.another(), stage.another()])
      stage.clock.advance(2 * hour)
      const before = refreshes()
      const asking = Promise.all(parts.map(({ grants }) => grants.access(id)))
      let answers: Awaited<typeof asking> | undefined
      void asking.then((all) => (answers = all))
      await eventually(() => {
        stage.clock.advance(100)
        return answers !== undefined
      })
      const { accessToken } = await stored()
      assert.ok(isLive(accessToken), `round ${round}`)
      for (const answer of answers!) assert.deepEqual(answer, { is: 'token', token: accessToken })
      assert.ok(refreshes() - before <= parts.length)
      assert.equal((await stage.storage.installs.get(id))?.state, 'live')
    }
  })

  test('marked dead by a process that lost the race is well again when the winner stores its pair', async () => {
    const { installs } = stage.storage
    const loser = await stage.another()
    const before = (await installs.get(id))!
    stage.clock.advance(2 * hour)
    let letGo = () => {}
    const gate = new Promise<void>((resolve) => (letGo = resolve))
    const save = installs.save
    installs.save = async (install) => {
      const isWinner = install.grant !== undefined && Buffer.compare(install.grant, before.grant!) !== 0
      if (isWinner) await gate
      return save(install)
    }
    const winner = stage.grants.access(id)
    await eventually(() => refreshes() === 1 && stage.sims.drift.requests.at(-1)?.status === 200)
    const losing = loser.grants.access(id)
    let lost: unknown
    void losing.then((answer) => (lost = answer))
    await eventually(() => {
      stage.clock.advance(100)
      return lost !== undefined
    })
    assert.deepEqual(lost, { is: 'dead' })
    assert.equal((await installs.get(id))?.reason, 'grant_dead')
    letGo()
    assert.deepEqual(await winner, { is: 'token', token: (await stored()).accessToken })
    const install = await installs.get(id)
    assert.deepEqual([install?.state, install?.reason], ['live', undefined])
  })

  test('that was replaced while the old one was being refreshed stays the new one', async () => {
    stage.clock.advance(2 * hour)
    const fresh: Grant = { ...stage.sims.drift.issueToken(org), expiresAt: stage.clock.now() + hour }
    stage.sims.drift.script(tokenPath, [{ delayMs: 1_000 }])
    const refreshing = stage.grants.access(id)
    await eventually(() => refreshes() === 1)
    await stage.install(org, fresh)
    stage.clock.advance(1_000)
    assert.deepEqual(await refreshing, { is: 'token', token: fresh.accessToken })
    assert.deepEqual(await stored(), fresh)
  })

  test('whose refresh token is dead is dead: shown, and not kept alive any more', async () => {
    spoil()
    stage.clock.advance(2 * hour)
    const access = stage.grants.access(id)
    await eventually(
      () => stage.clock.untilNext() !== undefined && refreshes() === 1 && stage.clock.untilNext() === 1_000,
    )
    stage.clock.advance(1_000)
    assert.deepEqual(await access, { is: 'dead' })
    const install = await stage.storage.installs.get(id)
    assert.deepEqual(
      [install?.state, install?.reason, install?.refreshAt],
      ['needs_attention', 'grant_dead', undefined],
    )
    stage.clock.advance(20 * day)
    assert.equal(await stage.grants.keepAlive(), 0)
    assert.equal(refreshes(), 1)
  })

  test('that was to be refreshed at a time of a clock that has been set back since is refreshed now', async () => {
    assert.equal(await stage.grants.keepAlive(), 0)
    stage.clock.step(-30 * day)
    assert.equal(await stage.grants.keepAlive(), 1)
    assert.equal(await stage.grants.keepAlive(), 0)
  })

  test('that dies while the account is paused leaves it paused', async () => {
    await stage.accounts.change(id, stage.clock.now(), paused)
    spoil()
    stage.clock.advance(2 * hour)
    const access = stage.grants.access(id)
    await eventually(() => refreshes() === 1 && stage.clock.untilNext() === 1_000)
    stage.clock.advance(1_000)
    assert.deepEqual(await access, { is: 'dead' })
    assert.equal((await stage.storage.installs.get(id))?.state, 'paused')
  })

  test('is not blamed for an outage, nor for a wrong client secret', async () => {
    const before = await stored()
    stage.clock.advance(2 * hour)
    const wrongClient = { error: 'invalid_client', error_description: 'Invalid client authentication' }
    for (const action of [
      { status: 500 },
      { status: 429 },
      { status: 503, body: '<html>' },
      { reset: 'before' as const },
      { status: 200, body: 'not json' },
      { status: 200, body: {} },
      { status: 400, body: wrongClient },
      { status: 401, body: wrongClient },
    ]) {
      stage.sims.drift.script(tokenPath, [action])
      assert.equal((await stage.grants.access(id)).is, 'later', JSON.stringify(action))
    }
    assert.deepEqual(await stored(), before)
    assert.equal((await stage.storage.installs.get(id))?.state, 'live')
    assert.equal((await stage.grants.access(id)).is, 'token')
  })

  test('whose answer hangs is tried again later', async () => {
    stage.clock.advance(2 * hour)
    stage.sims.drift.script(tokenPath, [{ hang: true }])
    const access = stage.grants.access(id)
    await eventually(() => refreshes() === 1)
    stage.clock.advance(15_000)
    assert.deepEqual(await access, { is: 'later', reason: 'TIMEOUT' })
  })

  test('that Drift refuses to refresh while the service stops is not called dead, and nothing waits for it', async () => {
    stage.clock.advance(2 * hour)
    spoil()
    const access = stage.grants.access(id)
    await eventually(() => refreshes() === 1)
    stage.grants.stop()
    assert.deepEqual(await access, { is: 'later', reason: 'grant_refreshing' })
    assert.equal(stage.accounts.get(id)?.state, 'live')
  })

  test('that another process is refreshing is not waited for while the service stops', async () => {
    const now = stage.clock.now()
    await stage.storage.installs.reserve({ org: id, holder: 'another', until: now + 15_000 }, now)
    const { accessToken } = await stored()
    const access = stage.grants.renewed(id, accessToken)
    stage.grants.stop()
    assert.deepEqual(await access, { is: 'later', reason: 'grant_refreshing' })
    assert.equal(refreshes(), 0)
  })

  test('is kept alive when idle: at three days, for months', async () => {
    for (let days = 0; days < 90; days++) {
      stage.clock.advance(day)
      await stage.grants.keepAlive()
    }
    assert.ok(refreshes() >= 29 && refreshes() <= 45, `${refreshes()} refreshes in 90 days`)
    const access = await stage.grants.access(id)
    assert.ok(access.is === 'token' && isLive(access.token))
  })

  test('is kept alive beside one that cannot be opened', async () => {
    await stage.install(1)
    await stage.accounts.change('1', stage.clock.now(), (known) => ({
      ...known,
      grant: Buffer.from(known.grant!).fill(0, 40),
    }))
    stage.clock.advance(3 * day)
    await stage.grants.keepAlive()
    assert.equal(refreshes(), 1)
  })

  test('that cannot be refreshed in time is not asked for again and again', async () => {
    stage.clock.advance(3 * day)
    stage.sims.drift.script(tokenPath, { status: 503 })
    for (let seconds = 0; seconds < 3_600; seconds += 10) {
      await stage.grants.keepAlive()
      stage.clock.advance(10_000)
    }
    assert.ok(refreshes() >= 4 && refreshes() <= 8, `${refreshes()} tries in an hour`)
    stage.sims.drift.script(tokenPath, undefined)
    stage.clock.advance(hour)
    await stage.grants.keepAlive()
    const access = await stage.grants.access(id)
    assert.ok(access.is === 'token' && isLive(access.token))
  })

  test('without expires_in lives for two hours', async () => {
    stage.sims.drift.settings.omitExpiresIn = true
    stage.clock.advance(2 * hour)
    await stage.grants.access(id)
    assert.equal((await stored()).expiresAt, stage.clock.now() + 2 * hour)
  })

  test('that is a private token is used as it is, and nothing can renew it', async () => {
    const accessToken = stage.sims.drift.privateToken(org)
    await stage.install(org, { accessToken })
    stage.clock.advance(400 * day)
    assert.deepEqual(await stage.grants.access(id), { is: 'token', token: accessToken })
    await stage.grants.keepAlive()
    assert.deepEqual(await stage.grants.renewed(id, accessToken), { is: 'unrenewable' })
    assert.equal(refreshes(), 0)
  })

  test('of an account that left meanwhile is not stored again', async () => {
    stage.clock.advance(2 * hour)
    stage.sims.drift.script(tokenPath, [{ delayMs: 1_000 }])
    const refreshing = stage.grants.access(id)
    await eventually(() => refreshes() === 1)
    await stage.accounts.change(id, stage.clock.now(), gone)
    stage.clock.advance(1_000)
    assert.deepEqual(await refreshing, { is: 'unrenewable' })
    assert.equal((await stage.storage.installs.get(id))?.grant, undefined)
    assert.deepEqual(await stage.grants.access('999'), { is: 'unrenewable' })
  })
})
